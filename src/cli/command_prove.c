/* radseal prove: what is in force, or is not, as a file that proves it; and checking such a file. */
#include <stdio.h>
#include <string.h>

#include "session.h"
#include "trust.h"
#include "workflow/workflow_prove.h"

static const struct {
	const char *name;
	char letter;
} kinds[] = {{"member", 'M'}, {"device", 'D'}, {"subject", 'S'}, {"consents", 'C'}, {"consent", 'C'}};

static enum rs_code read_hex(const char *what, const char *text, struct rs_digest *out, struct rs_error *err)
{
	if (!rs_hex_decode(rs_str_from(text), out->bytes, RS_SHA256_SIZE))
		return rs_error_set(err, RS_USAGE, "prove: %s is named by 64 hexadecimal digits, not '%s'",
		                    what, text);
	return RS_OK;
}

static enum rs_code read_question(const struct command_line *line, struct rs_question *out,
                                  struct rs_error *err)
{
	const char *subject = option_value(line, "subject");
	if (line->operand_count != 2)
		return rs_error_set(err, RS_USAGE,
		                    "prove: name what to prove: member KEY, device KEY, subject TOKEN, "
		                    "consents TOKEN or consent ID");
	const char *kind = line->operands[0], *what = line->operands[1];
	for (size_t i = 0; i < RS_COUNT(kinds); i++)
		if (strcmp(kind, kinds[i].name) == 0)
			out->letter = kinds[i].letter;
	if (!out->letter)
		return rs_error_set(err, RS_USAGE,
		                    "prove: '%s' is neither member, device, subject, consents nor consent",
		                    kind);
	bool is_consent = strcmp(kind, "consent") == 0;
	if (subject && !is_consent)
		return rs_error_set(err, RS_USAGE, "prove: --subject is for one consent");
	RS_TRY(read_hex(kind, what, is_consent ? &out->consent : &out->what, err));
	return subject ? read_hex("--subject", subject, &out->what, err) : RS_OK;
}

static enum rs_code read_trust(const struct command_line *line, struct trusted *out, struct rs_error *err)
{
	const char *key = option_value(line, "key");
	if (!key)
		return rs_error_set(err, RS_USAGE, "prove --check needs --key KEY, the log's verifier key");
	RS_TRY(trusted_log(out, "--key", key, err));
	return trusted_witnesses(out, line, err);
}

static void print_json(const struct rs_claim_facts *facts, struct rs_buffer *out)
{
	struct rs_json json;
	char time[RS_TIME_TEXT_SIZE];
	rs_format_time_ms(facts->time_ms, time);
	rs_json_init(&json, out, true);
	rs_json_object_begin(&json);
	rs_json_key(&json, "sentence");
	rs_json_str(&json, rs_buffer_str(&facts->sentence));
	rs_json_key(&json, "present");
	rs_json_bool(&json, facts->present);
	rs_json_key(&json, "entries");
	rs_json_u64(&json, facts->entries);
	rs_json_key(&json, "time");
	rs_json_text(&json, time);
	rs_json_key(&json, "origin");
	rs_json_text(&json, facts->origin);
	rs_json_key(&json, "tree_size");
	rs_json_u64(&json, facts->tree_size);
	rs_json_key(&json, "cosigned");
	rs_json_u64(&json, facts->cosigned);
	rs_json_object_end(&json);
	rs_buffer_append_text(out, "\n");
}

static void print_text(const struct rs_claim_facts *facts, struct rs_buffer *out)
{
	char time[RS_TIME_TEXT_SIZE];
	rs_format_time_ms(facts->time_ms, time);
	rs_buffer_printf(out, "proved at size %llu of %s (%s): ", (unsigned long long)facts->entries,
	                 facts->origin, time);
	rs_buffer_append_str(out, rs_buffer_str(&facts->sentence));
	rs_buffer_append_text(out, ".\n");
}

/* Checks, says what is proved, and holds it against --absent. */
static enum rs_code tell(const struct command_line *line, struct rs_str text, const struct rs_trust *trust,
                         struct rs_error *err)
{
	struct rs_claim_facts facts RS_CLEANUP(rs_claim_facts_finish) = {.present = false};
	struct rs_buffer out RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&out, (size_t)1 << 22);
	if (rs_claim_check(text, trust, &facts, err) != RS_OK) {
		rs_error_context(err, "it proves nothing");
		return err->code;
	}
	if (option_given(line, "json"))
		print_json(&facts, &out);
	else if (!option_given(line, "quiet"))
		print_text(&facts, &out);
	RS_TRY(rs_buffer_check(&out, "the answer", err));
	RS_TRY(session_write(NULL, rs_buffer_bytes(&out), err));
	if (facts.present == option_given(line, "absent"))
		return rs_error_set(err, RS_ALTERED,
		                    facts.present
		                            ? "--absent: what is proved is that it is there"
		                            : "what is proved is that it is not there; say --absent when "
		                              "that was the question");
	return RS_OK;
}

static enum rs_code run_check(const struct command_line *line, const char *path, struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct trusted trusted = {.trust = {.quorum = 0}};
	if (line->operand_count)
		return rs_error_set(err, RS_USAGE, "prove --check takes one file and no operand");
	RS_TRY(read_trust(line, &trusted, err));
	RS_TRY(rs_file_read_all(rs_world_system(), path, RS_CLAIM_SIZE_MAX, &text, err));
	return tell(line, rs_buffer_str(&text), &trusted.trust, err);
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_node *node RS_CLEANUP(session_node_close) = NULL;
	struct rs_actor *actor RS_CLEANUP(rs_actor_close_pointer) = NULL;
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_question question = {.letter = 0};
	struct rs_trust trust = {.quorum = 0};
	const char *path = option_value(line, "check"), *output = option_value(line, "output");
	bool cosigned = option_given(line, "cosigned"), writes = !cosigned && !option_given(line, "last");
	if (path)
		return run_check(line, path, err);
	RS_TRY(read_question(line, &question, err));
	if (!output)
		return rs_error_set(err, RS_USAGE, "prove: where is the proof to go? -o FILE");
	RS_TRY(session_node(line, writes ? RS_NODE_WRITE : RS_NODE_READ, NULL, &node, err));
	if (writes)
		RS_TRY(session_actor(line, node, &actor, err));
	else
		RS_TRY(rs_node_freeze(node, err)); /* somebody else may write */
	rs_buffer_init(&text, RS_CLAIM_SIZE_MAX);
	RS_TRY(rs_node_prove(node, actor, &question, cosigned, &text, err));
	RS_TRY(rs_note_key_parse(rs_str_from(rs_node_vkey(node)), &trust.log, err));
	/* Told first: a file that says the opposite of what was wanted is not written. */
	RS_TRY(tell(line, rs_buffer_str(&text), &trust, err));
	return session_write(output, rs_buffer_bytes(&text), err);
}

static const struct option options[] = {
	{"output", "FILE", "the proof (C2SP tlog-proof of a head of the log's map)"},
	{"absent", NULL, "the question is whether it is not there; otherwise, whether it is"},
	{"subject", "TOKEN", "the consent's subject; otherwise it is looked for"},
	{"last", NULL, "write no new head: prove by the last one, also while somebody else writes"},
	{"cosigned", NULL, "the same at the checkpoint that radseal witness cosign brought"},
	{"check", "FILE", "check a proof and say what it proves, with nothing but these keys:"},
	{"key", "KEY", "the log's verifier key, or a file with it (keys/log.vkey of the node)"},
	{"witness", "KEY", "a witness's verifier key, or a file with it; may be given several times"},
	{"quorum", "N", "so many of the witnesses must have cosigned; otherwise all"},
	SESSION_AS_OPTIONS,
	{NULL, NULL, NULL},
};

static const struct alias aliases[] = {{"-o", "output"}, {NULL, NULL}};

static const struct example examples[] = {
	{"radseal prove consents TOKEN -o consents.tlog-proof --home /srv/radseal",
         "all consents of a subject, and that there are no others"},
	{"radseal prove member KEY --absent -o stranger.tlog-proof", "that a key is no member's"},
	{"radseal prove consents TOKEN --cosigned -o consents.tlog-proof",
         "the same after radseal witness cosign, with the cosignatures"},
	{"radseal prove --check consents.tlog-proof --key log.vkey --witness oncology.vkey",
         "what such a file proves, for anybody and without the node"},
	{NULL, NULL},
};

const struct command command_prove = {
	.name = "prove",
	.arguments =
		"(member KEY | device KEY | subject TOKEN | consents TOKEN | consent ID) [--absent] -o FILE",
	.summary = "prove what is in force, or is not",
	.description =
		"Writes a file that proves who is a member, whose key is a device's, who a subject's custodian is,\n"
		"and what a subject consents to, or that there is no such thing: as of an entry of the log that says\n"
		"what all of it is then (a head of its map), which is written when anything happened since the last\n"
		"one. With --check, tells what such a file proves; status 1 when that is nothing, or the opposite.",
	.options = options,
	.examples = examples,
	.aliases = aliases,
	.repeatable = "witness",
	.run = run,
};
