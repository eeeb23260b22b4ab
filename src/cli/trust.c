/* Whom a command line believes: a log, and a quorum of witnesses. */
#include "trust.h"

#include <string.h>

#include "session.h"

static enum rs_code parse_key(const char *text, const char *option,
                              enum rs_code (*parse)(struct rs_str, struct rs_note_key *, struct rs_error *),
                              struct rs_note_key *out, struct rs_error *err)
{
	char *vkey RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(session_key(text, &vkey, err));
	if (parse(rs_str_from(vkey), out, err) != RS_OK) {
		rs_error_context(err, "%s", option);
		return err->code = RS_USAGE;
	}
	return RS_OK;
}

enum rs_code trusted_log(struct trusted *trusted, const char *option, const char *vkey, struct rs_error *err)
{
	return parse_key(vkey, option, rs_note_key_parse, &trusted->trust.log, err);
}

enum rs_code trusted_witness(struct trusted *trusted, const char *vkey, struct rs_error *err)
{
	size_t count = trusted->trust.witness_count;
	if (count == REPEATS_MAX)
		return rs_error_set(err, RS_USAGE, "--witness: at most %d", REPEATS_MAX);
	RS_TRY(parse_key(vkey, "--witness", rs_witness_key_parse, &trusted->witnesses[count], err));
	for (size_t i = 0; i < count; i++)
		if (memcmp(trusted->witnesses[i].public_key, trusted->witnesses[count].public_key,
		           sizeof trusted->witnesses[i].public_key) == 0)
			return rs_error_set(err, RS_USAGE, "--witness: one key is given twice");
	trusted->trust.witnesses = trusted->witnesses;
	trusted->trust.witness_count = count + 1;
	return RS_OK;
}

enum rs_code trusted_witnesses(struct trusted *trusted, const struct command_line *line, struct rs_error *err)
{
	for (size_t i = 0; i < line->repeat_count; i++)
		RS_TRY(trusted_witness(trusted, line->repeats[i], err));
	return trusted_quorum(trusted, line, err);
}

enum rs_code trusted_quorum(struct trusted *trusted, const struct command_line *line, struct rs_error *err)
{
	uint64_t quorum, count = trusted->trust.witness_count;
	RS_TRY(option_u64(line, "quorum", count, count, &quorum, err));
	trusted->trust.quorum = (size_t)quorum;
	return RS_OK;
}
