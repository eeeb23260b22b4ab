/* Signed checkpoints of one log against each other: two trees of one size are a split view, which its signatures prove. */
#include "log_compare.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/ledger_witness.h"
#include "session.h"

#define FILE_SIZE_MAX ((size_t)64 * 1024 * 1024)

struct seen {
	struct rs_checkpoint checkpoint;
	const char *path;
};

struct comparing {
	struct rs_trust trust;
	struct seen *list;
	size_t count, capacity;
};

static enum rs_code add_note(struct comparing *comparing, struct rs_str note, const char *path,
                             struct rs_error *err)
{
	size_t cosigned;
	if (comparing->count == comparing->capacity) {
		size_t capacity = 2 * comparing->capacity + 16;
		void *grown = rs_reallocate(comparing->list, capacity * sizeof *comparing->list);
		if (!grown)
			return rs_error_memory(err, capacity, "checkpoints");
		comparing->list = grown;
		comparing->capacity = capacity;
	}
	struct seen *seen = &comparing->list[comparing->count];
	if (rs_checkpoint_open(note, &comparing->trust, &seen->checkpoint, &cosigned, err) != RS_OK)
		return rs_error_context(err, "%s: its checkpoint number %zu", path, comparing->count + 1);
	seen->path = path;
	comparing->count++;
	return RS_OK;
}

/* One checkpoint after another, with empty lines between, as radseal log --checkpoints prints them. A note's own empty line
 * is followed by signatures. */
static enum rs_code add_file(struct comparing *comparing, const char *path, struct rs_error *err)
{
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0};
	RS_TRY(rs_file_read_all(rs_world_system(), path, FILE_SIZE_MAX, &content, err));
	struct rs_str rest = rs_buffer_str(&content), line;
	const char *begin = rest.data, *end = begin + rest.size;
	bool in_signatures = false;
	while (rest.data && rest.size && rs_str_split(&rest, '\n', &line)) {
		bool is_signature = rs_str_starts_with(line, "\u2014 ");
		if (in_signatures && !is_signature) {
			RS_TRY(add_note(comparing, (struct rs_str){begin, (size_t)(line.data - begin)}, path,
			                err));
			begin = line.size ? line.data : line.data + 1;
			in_signatures = false;
		}
		in_signatures = in_signatures || is_signature;
	}
	if (begin == end)
		return RS_OK;
	return add_note(comparing, (struct rs_str){begin, (size_t)(end - begin)}, path, err);
}

static int by_size(const void *a, const void *b)
{
	const struct seen *left = a, *right = b;
	uint64_t first = left->checkpoint.size, second = right->checkpoint.size;
	return first < second ? -1 : first > second;
}

static enum rs_code judge(struct comparing *comparing, struct rs_error *err)
{
	qsort(comparing->list, comparing->count, sizeof *comparing->list, by_size);
	for (size_t i = 1; i < comparing->count; i++) {
		const struct seen *one = &comparing->list[i - 1], *other = &comparing->list[i];
		if (one->checkpoint.size != other->checkpoint.size ||
		    rs_digest_equal(&one->checkpoint.root, &other->checkpoint.root))
			continue;
		return rs_error_set(err, RS_ALTERED,
		                    "split view: %s signed two different logs of %" PRIu64
		                    " entries (%s, %s); keep both, they prove it to anybody who has its key",
		                    one->checkpoint.origin, one->checkpoint.size, one->path, other->path);
	}
	return RS_OK;
}

enum rs_code log_compare(const struct command_line *line, struct rs_error *err)
{
	char *vkey RS_CLEANUP(rs_free_pointer) = NULL;
	struct comparing comparing = {.count = 0};
	const char *key = option_value(line, "key");
	if (line->operand_count < 2 || !key)
		return rs_error_set(
			err, RS_USAGE,
			"log compare needs files with checkpoints, and --key, the log's verifier key");
	RS_TRY(session_key(key, &vkey, err));
	if (rs_note_key_parse(rs_str_from(vkey), &comparing.trust.log, err) != RS_OK) {
		rs_error_context(err, "--key");
		return err->code = RS_USAGE;
	}
	enum rs_code code = RS_OK;
	for (size_t i = 1; i < line->operand_count && code == RS_OK; i++)
		code = add_file(&comparing, line->operands[i], err);
	if (code == RS_OK)
		code = judge(&comparing, err);
	if (code == RS_OK && !option_given(line, "quiet"))
		printf("%zu checkpoints of %s: no two of one size differ; that the shorter logs are beginnings of "
		       "the longer ones is proved by radseal log --consistency\n",
		       comparing.count, comparing.trust.log.name);
	rs_free(comparing.list);
	return code;
}
