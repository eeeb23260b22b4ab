/* .tlog-proof files (C2SP tlog-proof). */
#include <inttypes.h>
#include <string.h>

#include "ledger/ledger_log.h"

#define FIRST_LINE "c2sp.org/tlog-proof@v1"
#define EXTRA_SIZE_MAX ((size_t)64 * 1024)

void rs_tlog_proof_finish(struct rs_tlog_proof *proof)
{
	if (proof)
		rs_buffer_finish(&proof->extra);
}

static enum rs_code malformed(struct rs_error *err, size_t line, const char *what)
{
	return rs_error_set(err, RS_MALFORMED, "line %zu of the receipt: %s", line, what);
}

static enum rs_code parse_extra(struct rs_str base64, struct rs_buffer *out, size_t line,
                                struct rs_error *err)
{
	size_t size = 0;
	if (base64.size == 0 || base64.size > EXTRA_SIZE_MAX / 3 * 4)
		return malformed(err, line, "the extra data are empty or too long");
	if (rs_buffer_reserve(out, base64.size) != RS_OK)
		return rs_buffer_check(out, "the receipt's extra data", err);
	if (!rs_base64_decode(base64, out->data, &size))
		return malformed(err, line, "the extra data are not base64");
	out->size = size;
	return RS_OK;
}

static enum rs_code parse_hash(struct rs_str line, struct rs_tlog_proof *proof, size_t number,
                               struct rs_error *err)
{
	uint8_t hash[RS_SHA256_SIZE + 4];
	size_t size = 0;
	if (proof->path_count == RS_PROOF_HASHES_MAX)
		return malformed(err, number, "more hashes than any tree needs");
	if (line.size != RS_BASE64_SIZE(RS_SHA256_SIZE) - 1 || !rs_base64_decode(line, hash, &size) ||
	    size != RS_SHA256_SIZE)
		return malformed(err, number, "a hash of 32 bytes in base64 is needed");
	memcpy(proof->path[proof->path_count++].bytes, hash, RS_SHA256_SIZE);
	return RS_OK;
}

static enum rs_code parse_lines(struct rs_str text, struct rs_tlog_proof *proof, struct rs_error *err)
{
	struct rs_str rest = text, line;
	size_t number = 1;
	if (!rs_str_split(&rest, '\n', &line) || !rs_str_equal_text(line, FIRST_LINE))
		return malformed(err, number, "must be " FIRST_LINE);
	(void)rs_str_split(&rest, '\n', &line);
	number++;
	if (rs_str_starts_with(line, "extra ")) {
		RS_TRY(parse_extra((struct rs_str){line.data + 6, line.size - 6}, &proof->extra, number,
		                   err));
		line = (struct rs_str){"", 0};
		(void)rs_str_split(&rest, '\n', &line);
		number++;
	}
	struct rs_str digits = {line.data + 6, line.size > 6 ? line.size - 6 : 0};
	if (!rs_str_starts_with(line, "index ") || (digits.size > 1 && digits.data[0] == '0') ||
	    !rs_parse_u64(digits, &proof->index))
		return malformed(err, number, "'index' and a number are needed");
	for (number++; rs_str_split(&rest, '\n', &line) && line.size; number++)
		RS_TRY(parse_hash(line, proof, number, err));
	if (!rest.data)
		return malformed(err, number, "the checkpoint is missing");
	proof->checkpoint = rest;
	return RS_OK;
}

enum rs_code rs_tlog_proof_parse(struct rs_str text, struct rs_tlog_proof *out, struct rs_error *err)
{
	struct rs_tlog_proof proof = {.index = 0};
	rs_buffer_init(&proof.extra, EXTRA_SIZE_MAX + 4);
	enum rs_code code = parse_lines(text, &proof, err);
	if (code != RS_OK) {
		rs_tlog_proof_finish(&proof);
		return code;
	}
	*out = proof;
	return RS_OK;
}

static void append_base64(struct rs_buffer *out, struct rs_bytes bytes)
{
	if (rs_buffer_reserve(out, RS_BASE64_SIZE(bytes.size)) != RS_OK)
		return;
	rs_base64_encode(bytes, (char *)out->data + out->size);
	out->size += RS_BASE64_SIZE(bytes.size) - 1;
}

enum rs_code rs_tlog_proof_format(struct rs_bytes extra, uint64_t index, const struct rs_digest *path,
                                  size_t path_count, struct rs_str checkpoint, struct rs_buffer *out,
                                  struct rs_error *err)
{
	rs_buffer_append_text(out, FIRST_LINE "\n");
	if (extra.size) {
		rs_buffer_append_text(out, "extra ");
		append_base64(out, extra);
		rs_buffer_append_text(out, "\n");
	}
	rs_buffer_printf(out, "index %" PRIu64 "\n", index);
	for (size_t i = 0; i < path_count; i++) {
		append_base64(out, rs_bytes_of(path[i].bytes, RS_SHA256_SIZE));
		rs_buffer_append_text(out, "\n");
	}
	rs_buffer_append_text(out, "\n");
	rs_buffer_append_str(out, checkpoint);
	return rs_buffer_check(out, "a receipt", err);
}
