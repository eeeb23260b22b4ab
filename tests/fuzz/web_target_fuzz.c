/* Targets of hostile requests: what is taken has no part that leads elsewhere, and encodes to the same again. */
#include <stdlib.h>
#include <string.h>

#include "web/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_part(struct rs_str part)
{
	if (part.size == 0 || rs_str_equal_text(part, "..") || rs_str_equal_text(part, ".") ||
	    !rs_utf8_valid(part))
		abort();
	for (size_t i = 0; i < part.size; i++)
		if ((unsigned char)part.data[i] < 0x20 || part.data[i] == '/')
			abort();
}

static void encode(struct rs_str part, struct rs_buffer *out)
{
	for (size_t i = 0; i < part.size; i++)
		rs_buffer_printf(out, "%%%02x", (unsigned char)part.data[i]);
}

static void check_again(const struct target *target)
{
	static struct target again;
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&text, 8 * TARGET_SIZE_MAX);
	for (size_t i = 0; i < target->segment_count; i++) {
		rs_buffer_append_text(&text, "/");
		encode(target->segments[i], &text);
	}
	if (target->segment_count == 0)
		rs_buffer_append_text(&text, "/");
	if (text.size >= TARGET_SIZE_MAX)
		return;
	if (target_parse(rs_buffer_str(&text), &again, NULL) != RS_OK ||
	    again.segment_count != target->segment_count)
		abort();
	for (size_t i = 0; i < again.segment_count; i++)
		if (!rs_str_equal(again.segments[i], target->segments[i]))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct target target;
	struct rs_str values[4];
	struct rs_error err = {0};
	char *raw = rs_str_duplicate((struct rs_str){(const char *)data, size});
	if (!raw)
		return 0;
	if (target_parse((struct rs_str){raw, size}, &target, &err) != RS_OK) {
		if (err.message[0] == '\0')
			abort();
	} else {
		for (size_t i = 0; i < target.segment_count; i++)
			check_part(target.segments[i]);
		(void)target_matches(&target, "/studies/{uid}/series/{uid}/instances/{uid}/frames/{list}",
		                     values, 4);
		check_again(&target);
	}
	rs_free(raw);
	return 0;
}
