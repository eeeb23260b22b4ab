/* radseal audit: who did what with whose data, why, on which ground; every line proved. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/audit_write.h"
#include "base/base_progress.h"
#include "audit_check.h"
#include "session.h"
#include "access/access_audit.h"
#include "access/access_people.h"
#include "node/node_subject.h"

#define PROOF_SIZE_MAX ((size_t)128 * 1024)

/* A question as it was typed, and its answer on the way out. */
struct auditing {
	const struct command_line *line;
	struct rs_node *node;
	struct rs_audit_question question;
	struct rs_audit_heading heading;
	enum rs_audit_format format;
	const char *proofs; /* directory; NULL: none */
	uint8_t *written;   /* bit n: entry n's proof lies there */
	struct rs_audit_writer *writer;
	struct rs_audit_leave leave;
	char asked[2 * RS_SHA256_SIZE + 64];
};

static const char *operand(const struct command_line *line, size_t index)
{
	return index < line->operand_count ? line->operands[index] : "";
}

static enum rs_code read_format(struct auditing *auditing, struct rs_error *err)
{
	const char *name = option_value(auditing->line, "format");
	auditing->format = option_given(auditing->line, "json") ? RS_AUDIT_JSON : RS_AUDIT_TEXT;
	if (name && option_given(auditing->line, "json"))
		return rs_error_set(err, RS_USAGE, "audit: --json is --format json; give one of them");
	if (name && !rs_audit_format_from_name(rs_str_from(name), &auditing->format))
		return rs_error_set(err, RS_USAGE, "--format: '%s' is none of text, csv, json, fhir", name);
	return RS_OK;
}

/* Which kinds of questions have which options. */
#define QUESTIONS "subject, member, object, all"
static const struct {
	const char *option, *kinds;
} belongs[] = {
	{"subject", "subject"},
	{"issuer", "subject"},
	{"token", "subject"},
	{"identify", "subject"},
	{"provenance", "object"},
	{"refused", "all"},
	{"open-reviews", "all"},
	{"anomalies", "all"},
	{"burst", "all"},
	{"key", "check"},
	{"as", "subject, object"}, /* those are accesses; what members did is for whoever runs the node */
	{"as-passphrase-file", "subject, object"},
	{"from", QUESTIONS},
	{"until", QUESTIONS},
	{"format", QUESTIONS},
	{"proofs", QUESTIONS},
	{"replay", QUESTIONS},
};

static enum rs_code check_options(const struct command_line *line, const char *kind, struct rs_error *err)
{
	for (size_t i = 0; i < RS_COUNT(belongs); i++)
		if (option_given(line, belongs[i].option) && !strstr(belongs[i].kinds, kind))
			return rs_error_set(err, RS_USAGE, "--%s belongs to: radseal audit %s",
			                    belongs[i].option, belongs[i].kinds);
	if (option_given(line, "identify") && !option_value(line, "subject"))
		return rs_error_set(err, RS_USAGE,
		                    "--identify tells whom --subject names; a token names nobody");
	if (option_given(line, "refused") + option_given(line, "open-reviews") +
	            option_given(line, "anomalies") >
	    1)
		return rs_error_set(
			err, RS_USAGE,
			"audit all: --refused, --open-reviews and --anomalies are different questions; ask one");
	if (option_given(line, "burst") && !option_given(line, "anomalies"))
		return rs_error_set(err, RS_USAGE, "--burst belongs to --anomalies");
	return RS_OK;
}

static enum rs_code check_usage(const struct command_line *line, struct rs_error *err)
{
	static const struct {
		const char *kind;
		size_t least, most; /* operands */
		const char *usage;
	} kinds[] = {
		{"subject", 1, 1,
	         "--subject PATIENT_ID [--issuer TEXT], or radseal audit subject --token HEX"},
		{"member", 2, 2, "KEY or NAME"},
		{"object", 2, 2, "COMMITMENT, or its CID or file"},
		{"all", 1, 1, "[--from TIME] [--until TIME] [--refused | --open-reviews | --anomalies]"},
		{"check", 2, SIZE_MAX, "PROOF... --key KEY, the log's verifier key"},
	};
	const char *kind = operand(line, 0);
	bool is_subject = strcmp(kind, "subject") == 0, is_check = strcmp(kind, "check") == 0;
	size_t i = 0;
	while (i < RS_COUNT(kinds) && strcmp(kind, kinds[i].kind) != 0)
		i++;
	if (i == RS_COUNT(kinds))
		return rs_error_set(
			err, RS_USAGE,
			"audit: name what to audit: subject, member, object or all; or check proofs");
	bool named = is_subject ? !option_value(line, "subject") != !option_value(line, "token")
	             : is_check ? option_given(line, "key")
	                        : true;
	if (!named || line->operand_count < kinds[i].least || line->operand_count > kinds[i].most)
		return rs_error_set(err, RS_USAGE, "audit %s: write: radseal audit %s %s", kind, kind,
		                    kinds[i].usage);
	return check_options(line, kind, err);
}

static enum rs_code read_subject(struct auditing *auditing, struct rs_error *err)
{
	const struct command_line *line = auditing->line;
	const char *token = option_value(line, "token"), *issuer = option_value(line, "issuer");
	struct rs_node_subject subject;
	if (token && issuer)
		return rs_error_set(err, RS_USAGE, "--issuer belongs to --subject");
	if (token && !rs_hex_decode(rs_str_from(token), auditing->question.id.bytes, RS_SHA256_SIZE))
		return rs_error_set(err, RS_USAGE, "--token: 64 hexadecimal digits are needed");
	if (token)
		return RS_OK;
	RS_TRY(rs_node_subject(auditing->node, issuer ? issuer : "", option_value(line, "subject"), &subject,
	                       err));
	auditing->question.id = subject.token;
	return RS_OK;
}

static enum rs_code read_question(struct auditing *auditing, struct rs_error *err)
{
	const struct command_line *line = auditing->line;
	struct rs_audit_question *question = &auditing->question;
	const char *kind = operand(line, 0);
	RS_TRY(session_time(line, "from", 0, &question->from_ms, err));
	RS_TRY(session_time(line, "until", 0, &question->until_ms, err));
	RS_TRY(option_u64(line, "burst", RS_AUDIT_BURST_DEFAULT, RS_AUDIT_BURST_MAX, &question->burst, err));
	question->now_ms = rs_world_now_ms(rs_world_system());
	question->provenance = option_given(line, "provenance");
	question->refused = option_given(line, "refused");
	question->open_reviews = option_given(line, "open-reviews");
	question->about = option_given(line, "anomalies") ? RS_AUDIT_ANOMALIES : RS_AUDIT_ALL;
	if (strcmp(kind, "subject") == 0) {
		question->about = RS_AUDIT_SUBJECT;
		return read_subject(auditing, err);
	}
	if (strcmp(kind, "object") == 0) {
		question->about = RS_AUDIT_OBJECT;
		return rs_node_object_named(auditing->node, operand(line, 1), &question->id, err);
	}
	if (strcmp(kind, "member") != 0)
		return RS_OK;
	question->about = RS_AUDIT_MEMBER;
	return rs_node_find_person(auditing->node, operand(line, 1), &question->member, err);
}

static void describe(struct auditing *auditing)
{
	const struct rs_audit_question *question = &auditing->question;
	static const char *const names[] = {"subject", "member", "object", "all entries"};
	char hex[2 * RS_SHA256_SIZE + 1] = "";
	if (question->about == RS_AUDIT_MEMBER)
		rs_member_key_format(&question->member, hex);
	else if (question->about == RS_AUDIT_SUBJECT || question->about == RS_AUDIT_OBJECT)
		rs_hex_encode(rs_bytes_of(question->id.bytes, RS_SHA256_SIZE), hex);
	if (question->about == RS_AUDIT_ANOMALIES)
		snprintf(auditing->asked, sizeof auditing->asked,
		         "anomalies (a burst: %" PRIu64 " requests within an hour)", question->burst);
	else
		snprintf(auditing->asked, sizeof auditing->asked, "%s%s%s%s%s%s", names[question->about],
		         *hex ? " " : "", hex, question->provenance ? ", provenance" : "",
		         question->refused ? ", refused requests" : "",
		         question->open_reviews ? ", open reviews" : "");
	auditing->heading.question = auditing->asked;
}

/* To standard output as it comes: an answer may be longer than memory. */
static enum rs_code print(void *context RS_UNUSED, struct rs_bytes piece, struct rs_error *err)
{
	if (piece.size && fwrite(piece.data, 1, piece.size, stdout) != piece.size)
		return rs_error_errno(err, errno, "standard output");
	return RS_OK;
}

/* The proof is made and checked for every entry that is told, and kept when that was asked for. */
static enum rs_code prove(struct auditing *auditing, uint64_t entry, struct rs_error *err)
{
	struct rs_buffer proof RS_CLEANUP(rs_buffer_finish) = {0};
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	char name[RS_AUDIT_PROOF_NAME_SIZE];
	if (entry >= auditing->heading.checkpoint.size || auditing->written[entry / 8] >> entry % 8 & 1)
		return RS_OK;
	auditing->written[entry / 8] |= (uint8_t)(1u << entry % 8);
	rs_buffer_init(&proof, PROOF_SIZE_MAX);
	RS_TRY(rs_node_entry_proof(auditing->node, &auditing->heading.checkpoint, entry, &proof, err));
	if (!auditing->proofs)
		return RS_OK;
	rs_audit_proof_name(entry, name);
	path = rs_path_join(auditing->proofs, name);
	if (!path)
		return rs_error_memory(err, sizeof name, "a path");
	return session_write(path, rs_buffer_bytes(&proof), err);
}

static enum rs_code take_line(void *context, const struct rs_audit_line *line, struct rs_error *err)
{
	struct auditing *auditing = context;
	const uint64_t entries[] = {line->entry, line->signer_entry, line->object_entry, line->terms_entry,
	                            line->review_entry};
	for (size_t i = 0; i < RS_COUNT(entries); i++)
		RS_TRY(prove(auditing, entries[i], err));
	return rs_audit_writer_line(auditing->writer, line, err);
}

static enum rs_code make_proofs_directory(struct auditing *auditing, struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	char *key RS_CLEANUP(rs_free_pointer) = NULL;
	auditing->proofs = option_value(auditing->line, "proofs");
	auditing->heading.proofs = auditing->proofs;
	auditing->written = rs_allocate((size_t)(auditing->heading.checkpoint.size / 8 + 1));
	if (!auditing->written)
		return rs_error_memory(err, (size_t)(auditing->heading.checkpoint.size / 8 + 1), "an audit");
	if (!auditing->proofs)
		return RS_OK;
	RS_TRY(rs_directory_make(rs_world_system(), auditing->proofs, err));
	path = rs_path_join(auditing->proofs, "log.vkey");
	key = rs_text_printf("%s\n", rs_node_vkey(auditing->node));
	if (!path || !key)
		return rs_error_memory(err, RS_VKEY_SIZE, "a path");
	return session_write(path, rs_bytes_of(key, strlen(key)), err);
}

/* Whose data were asked for is told only to who may know. */
static enum rs_code ask_leave(struct auditing *auditing, const struct rs_actor *actor, struct rs_error *err)
{
	const struct command_line *line = auditing->line;
	const struct rs_audit_question *question = &auditing->question;
	auditing->leave.entry = RS_AUDIT_NO_ENTRY;
	if (question->about != RS_AUDIT_SUBJECT && question->about != RS_AUDIT_OBJECT)
		return RS_OK;
	RS_TRY(rs_node_audit_leave(auditing->node, actor, question->about, &question->id, &auditing->leave,
	                           err));
	auditing->heading.patient = option_given(line, "identify") ? option_value(line, "subject") : NULL;
	if (auditing->heading.patient && !auditing->leave.identify)
		return rs_error_set(err, RS_REFUSED,
		                    "SCOPE: only the subject's custodian and the patient are told whose data "
		                    "they are; leave --identify out");
	return RS_OK;
}

static enum rs_code answer(struct auditing *auditing, struct rs_audit *audit, struct rs_error *err)
{
	struct rs_audit_heading *heading = &auditing->heading;
	RS_TRY(rs_node_checkpoint(auditing->node, &heading->checkpoint, err));
	heading->note = rs_ledger_checkpoint(rs_node_ledger(auditing->node));
	heading->asked_ms = auditing->question.now_ms;
	heading->request = auditing->leave.entry;
	RS_TRY(make_proofs_directory(auditing, err));
	RS_TRY(rs_audit_writer_create(heading, auditing->format, print, NULL, &auditing->writer, err));
	RS_TRY(rs_audit_ask(audit, &auditing->question, take_line, auditing, err));
	if (auditing->leave.entry != RS_AUDIT_NO_ENTRY)
		RS_TRY(prove(auditing, auditing->leave.entry, err));
	RS_TRY(rs_audit_writer_end(auditing->writer, err));
	if (fflush(stdout) != 0)
		return rs_error_errno(err, errno, "standard output");
	return RS_OK;
}

static void tell_progress(void *context, uint64_t done, uint64_t total)
{
	struct rs_progress *progress = context;
	progress->total = total;
	rs_progress_update(progress, done);
}

static enum rs_code replay(const struct command_line *line, struct rs_node *node, struct rs_audit **out,
                           struct rs_error *err)
{
	struct rs_progress progress;
	rs_progress_begin(&progress, rs_world_system()->clock, option_given(line, "quiet") ? NULL : stderr,
	                  "replaying the log", 0);
	enum rs_code code = rs_node_audit_open(node, option_given(line, "replay"), tell_progress, &progress,
	                                       out, err);
	rs_progress_end(&progress);
	return code;
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_node *node RS_CLEANUP(session_node_close) = NULL;
	struct rs_actor *actor RS_CLEANUP(rs_actor_close_pointer) = NULL;
	struct rs_audit *audit RS_CLEANUP(rs_audit_close_pointer) = NULL;
	struct auditing auditing = {.line = line};
	RS_TRY(check_usage(line, err));
	if (strcmp(operand(line, 0), "check") == 0)
		return audit_check(line, err);
	RS_TRY(read_format(&auditing, err));
	RS_TRY(session_node(line, RS_NODE_WRITE, NULL, &node, err));
	auditing.node = node;
	RS_TRY(read_question(&auditing, err));
	describe(&auditing);
	RS_TRY(session_actor(line, node, &actor, err));
	RS_TRY(ask_leave(&auditing, actor, err));
	RS_TRY(rs_node_freeze(node, err));
	RS_TRY(replay(line, node, &audit, err));
	enum rs_code code = answer(&auditing, audit, err);
	rs_audit_writer_destroy(auditing.writer);
	rs_free(auditing.written);
	return code;
}

static const struct option options[] = {
	{"subject", "ID", "the PatientID whose data are asked for"},
	{"issuer", "TEXT", "its IssuerOfPatientID"},
	{"token", "HEX", "the subject by its token on the ledger"},
	{"identify", NULL, "tell the PatientID of --subject in the answer, to who may know it"},
	{"from", "TIME", "only entries dated from then on (2026-11-21, or with T03:04:05Z)"},
	{"until", "TIME", "only entries dated before"},
	{"provenance", NULL, "all that an object was made from, and all that was made of it"},
	{"refused", NULL, "access requests that were refused"},
	{"open-reviews", NULL, "broken glasses that nobody reviewed"},
	{"anomalies", NULL,
         "broken glass without review or unjustified, requests outside of the role, bursts, dates that went back"},
	{"burst", "N", "requests of one member within an hour that --anomalies tells; 100 by default"},
	{"format", "NAME", "text, csv, json or fhir (a FHIR R4 Bundle of AuditEvents)"},
	{"proofs", "DIR",
         "write the proof of every line, and of what it rests on, as C2SP tlog-proof into DIR"},
	{"replay", NULL, "replay the whole log first, every signature verified, instead of what came since"},
	{"key", "KEY",
         "audit check: the log's verifier key, or a file that holds it (DIR/log.vkey of --proofs)"},
	SESSION_AS_OPTIONS,
	{NULL, NULL, NULL},
};

static const struct example examples[] = {
	{"radseal audit subject --subject P017 --home /srv/radseal",
         "who asked for this patient's data, and why"},
	{"radseal audit subject --token 3f2a… --format fhir --proofs proofs/",
         "the same for an auditor's tools"},
	{"radseal audit member dr-lee --from 2026-11-01", "every act of a member or device since then"},
	{"radseal audit object scan.nii.gz", "versions of an object, what was made of it, who asked for it"},
	{"radseal audit check proofs/*.tlog-proof --key log.vkey",
         "whether these entries are in the log, without the node"},
	{"radseal audit all --anomalies", "what is out of the ordinary, as facts"},
	{NULL, NULL},
};

const struct command command_audit = {
	.name = "audit",
	.arguments =
		"subject --subject ID | subject --token HEX | member KEY|NAME | object ID | all | check PROOF… [--home DIR]",
	.summary = "tell from the log who did what with whose data, on which ground; every line proved",
	.description =
		"Tells every entry that is about a subject, a member or device, or an object, or all of a time: who, when,\n"
		"for which purpose, what was decided and on which ground, under which consent as it was then, broken glass\n"
		"with its review. Each line is held against the log again: its signature, its place under the checkpoint,\n"
		"and the contract's answer. An audit of a subject or an object is an access itself and becomes an entry\n"
		"first, signed by the member of --as; what the contract refuses ends with status 3.",
	.options = options,
	.examples = examples,
	.run = run,
};
