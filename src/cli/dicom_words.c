/* Options of DICOM peers; matches as text. */
#include "dicom_words.h"

#include <stdio.h>

#include "session.h"

#define DEFAULT_TIMEOUT_S 60
#define TIMEOUT_S_MAX 86400
#define DEFAULT_RETRIES 3
#define RETRIES_MAX 1000
#define VALUE_MAX ((size_t)1 << 20)
#define OUTPUT_MAX ((size_t)1 << 30)

enum rs_code dicom_peer(const struct command_line *line, const char *address, struct rs_dicom_peer *out,
                        struct rs_error *err)
{
	const char *called = option_value(line, "called"), *calling = option_value(line, "ae");
	uint64_t timeout_s, retries;
	RS_TRY(option_u64(line, "timeout", DEFAULT_TIMEOUT_S, TIMEOUT_S_MAX, &timeout_s, err));
	RS_TRY(option_u64(line, "retries", DEFAULT_RETRIES, RETRIES_MAX, &retries, err));
	*out = (struct rs_dicom_peer){
		.address = address,
		.called = called ? called : "ANY-SCP",
		.calling = calling ? calling : "RADSEAL",
		.is_tls = option_given(line, "tls"),
		.certificate = option_value(line, "certificate"),
		.key = option_value(line, "certificate-key"),
		.authorities = option_value(line, "authorities"),
		.timeout_ms = (unsigned)(timeout_s * 1000),
		.retries = (unsigned)retries,
	};
	return RS_OK;
}

static struct rs_str keyword_of(const char *key)
{
	struct rs_str rest = rs_str_from(key), keyword = {key, 0};
	rs_str_split(&rest, '=', &keyword);
	return keyword;
}

/* Values of several parts stay so, parted by backslashes. */
static enum rs_code read_value(const struct rs_dicom *match, struct rs_str keyword, struct rs_buffer *out,
                               struct rs_error *err)
{
	const struct rs_dicom_entry *entry = rs_dicom_lookup_keyword(keyword);
	const struct rs_dicom_element *element = entry ? rs_dicom_find(match, NULL, entry->tag) : NULL;
	struct rs_dicom_charset charset;
	rs_buffer_clear(out);
	if (!element)
		return RS_OK;
	RS_TRY(rs_dicom_charset_of(match, element, &charset, err));
	for (size_t i = 0; i < rs_dicom_multiplicity(element); i++) {
		if (i > 0)
			rs_buffer_append_u8(out, '\\');
		RS_TRY(rs_dicom_text_utf8(&charset, element, i, out, NULL, err));
	}
	return rs_buffer_check(out, "a value", err);
}

void matches_cell(struct rs_buffer *out, struct rs_str value, bool is_first)
{
	if (!is_first)
		rs_buffer_append_u8(out, '\t');
	for (size_t i = 0; i < value.size; i++)
		rs_buffer_append_u8(out, (uint8_t)value.data[i] < ' ' || value.data[i] == 0x7F
		                                 ? (uint8_t)' '
		                                 : (uint8_t)value.data[i]);
}

enum rs_code matches_take(void *context, const struct rs_dicom *match, struct rs_error *err)
{
	struct matches *found = context;
	struct rs_buffer value RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&value, VALUE_MAX);
	if (found->as_json)
		rs_json_object_begin(&found->json);
	for (size_t i = 0; i < found->key_count; i++) {
		char name[64];
		struct rs_str keyword = keyword_of(found->keys[i]);
		snprintf(name, sizeof name, RS_STR_FORMAT, RS_STR_ARGUMENTS(keyword));
		RS_TRY(read_value(match, keyword, &value, err));
		if (found->as_json) {
			rs_json_key(&found->json, name);
			rs_json_str(&found->json, rs_buffer_str(&value));
		} else {
			matches_cell(&found->text, rs_buffer_str(&value), i == 0);
		}
	}
	if (found->as_json)
		rs_json_object_end(&found->json);
	else
		rs_buffer_append_u8(&found->text, '\n');
	return rs_buffer_check(&found->text, "the matches", err);
}

void matches_begin(struct matches *matches, bool as_json, const char *const *keys, size_t count)
{
	*matches = (struct matches){.as_json = as_json, .keys = keys, .key_count = count};
	rs_buffer_init(&matches->text, OUTPUT_MAX);
	rs_json_init(&matches->json, &matches->text, true);
	if (as_json)
		rs_json_array_begin(&matches->json);
	for (size_t i = 0; !as_json && i < count; i++)
		matches_cell(&matches->text, keyword_of(keys[i]), i == 0);
	if (!as_json)
		rs_buffer_append_u8(&matches->text, '\n');
}

enum rs_code matches_print(struct matches *matches, struct rs_error *err)
{
	if (matches->as_json) {
		rs_json_array_end(&matches->json);
		rs_buffer_append_text(&matches->text, "\n");
	}
	RS_TRY(rs_buffer_check(&matches->text, "the matches", err));
	return session_write(NULL, rs_buffer_bytes(&matches->text), err);
}

void matches_finish(struct matches *matches) { rs_buffer_finish(&matches->text); }
