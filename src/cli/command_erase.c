/* radseal erase: a subject is erased, and a certificate tells; certificates are verified by anyone. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "devices/devices.h"
#include "session.h"
#include "node/node_erase.h"

#define CERTIFICATE_MAX ((size_t)17 << 20)

/* forgotten: NULL of a certificate, which says nothing of the quarantine. */
static enum rs_code print_facts(const struct command_line *line, const struct rs_erasure_facts *facts,
                                const struct rs_quarantine_forgotten *forgotten, const char *headline,
                                struct rs_error *err)
{
	const struct {
		const char *name, *text;
		uint64_t value;
	} rows[] = {
		{"entry", "ledger entry", facts->entry},
		{"commitments", "commitments in the log that nothing opens any more", facts->commitments},
		{"objects", "objects removed", facts->objects},
		{"receipts", "receipts removed", facts->receipts},
		{"records", "records removed", facts->records},
		{"keys_tried", "keys tried on what there was: none opens it", facts->keys_tried},
		{"bytes_searched", "bytes of databases searched: no trace", facts->bytes_searched},
		{"accesses", "accesses before, after which copies may lie elsewhere", facts->accesses},
		{"quarantine_removed", "pieces of theirs removed from quarantine",
	         forgotten ? forgotten->removed : 0},
		{"quarantine_unattributed", "pieces in quarantine that say of nobody whose they are",
	         forgotten ? forgotten->unattributed : 0},
	};
	const size_t count = RS_COUNT(rows) - (forgotten ? 0 : 2);
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_json json;
	if (!option_given(line, "json")) {
		printf("%s %s (ground: %s)\n", headline, facts->erased_at, facts->ground);
		for (size_t i = 0; i < count; i++)
			printf("  %10" PRIu64 "  %s\n", rows[i].value, rows[i].text);
		return RS_OK;
	}
	rs_buffer_init(&text, 1 << 16);
	rs_json_init(&json, &text, true);
	rs_json_object_begin(&json);
	rs_json_key(&json, "erased_at");
	rs_json_text(&json, facts->erased_at);
	rs_json_key(&json, "ground");
	rs_json_text(&json, facts->ground);
	for (size_t i = 0; i < count; i++) {
		rs_json_key(&json, rows[i].name);
		rs_json_u64(&json, rows[i].value);
	}
	rs_json_object_end(&json);
	rs_buffer_append_text(&text, "\n");
	RS_TRY(rs_buffer_check(&text, "the result", err));
	return session_write(NULL, rs_buffer_bytes(&text), err);
}

static enum rs_code verify(const struct command_line *line, struct rs_error *err)
{
	struct rs_buffer certificate RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_erasure_facts facts;
	char *vkey RS_CLEANUP(rs_free_pointer) = NULL;
	const char *key = option_value(line, "key");
	if (line->operand_count != 2 || !key || option_given(line, "subject"))
		return rs_error_set(err, RS_USAGE,
		                    "erase verify: name one certificate and the log's key: "
		                    "radseal erase verify CERTIFICATE --key log.vkey");
	RS_TRY(session_key(key, &vkey, err));
	RS_TRY(rs_file_read_all(rs_world_system(), line->operands[1], CERTIFICATE_MAX, &certificate, err));
	enum rs_code code = rs_erasure_verify(rs_buffer_str(&certificate), vkey, &facts, err);
	if (code == RS_MALFORMED)
		code = err->code = RS_ALTERED;
	RS_TRY(code);
	return print_facts(line, &facts, NULL,
	                   "genuine: the node's key says so, and the log has the entry; erased", err);
}

static enum rs_code erase(const struct command_line *line, struct rs_error *err)
{
	struct rs_node *node RS_CLEANUP(session_node_close) = NULL;
	struct rs_actor *actor RS_CLEANUP(rs_actor_close_pointer) = NULL;
	struct rs_buffer certificate RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_erasure_facts facts = {.erased_at = "", .ground = ""};
	struct rs_quarantine_forgotten forgotten;
	const char *subject = option_value(line, "subject"), *issuer = option_value(line, "issuer");
	const char *output = option_value(line, "output");
	if (line->operand_count || !subject || !*subject || option_given(line, "key"))
		return rs_error_set(err, RS_USAGE, "erase: name whom: radseal erase --subject PATIENT_ID");
	RS_TRY(session_node(line, RS_NODE_WRITE, NULL, &node, err));
	RS_TRY(session_actor(line, node, &actor, err));
	rs_buffer_init(&certificate, CERTIFICATE_MAX);
	enum rs_code code = rs_node_erase(node, actor, issuer ? issuer : "", subject,
	                                  option_value(line, "ground"), &certificate, &facts, err);
	if (code == RS_BUSY)
		return rs_error_context(
			err, "the entry is made and the key is gone, but traces are left; run this "
			     "again, or any command that writes, when nobody reads");
	/* Of whom nothing was sealed something may still wait in quarantine. */
	if (code != RS_OK && code != RS_NOT_FOUND)
		return code;
	enum rs_code forgot = rs_quarantine_forget(node, code == RS_OK ? NULL : actor, issuer ? issuer : "",
	                                           subject, &forgotten, code == RS_OK ? err : NULL);
	if (code == RS_NOT_FOUND && forgot == RS_OK && forgotten.removed > 0) {
		printf("nothing was sealed; %" PRIu64 " pieces of theirs were removed from quarantine\n",
		       forgotten.removed);
		return RS_OK;
	}
	RS_TRY(code);
	RS_TRY(forgot);
	if (output)
		RS_TRY(session_write(output, rs_buffer_bytes(&certificate), err));
	if (!option_given(line, "quiet") || option_given(line, "json"))
		RS_TRY(print_facts(line, &facts, &forgotten, "erased", err));
	if (!option_given(line, "quiet") && !option_given(line, "json"))
		printf("the certificate is %s%scertificates/erasure-%" PRIu64 ".note\n"
		       "next: a new backup of both, and no key-store backup from before is kept longer than it has to be\n",
		       output ? output : session_home(line), output ? ", and in the node " : "/",
		       facts.entry);
	return RS_OK;
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	if (line->operand_count && strcmp(line->operands[0], "verify") == 0)
		return verify(line, err);
	return erase(line, err);
}

static const struct option options[] = {
	{"subject", "ID", "whom: the PatientID (or what --subject of seal was)"},
	{"issuer", "ID", "IssuerOfPatientID, where the files name one"},
	{"ground", "NAME",
         "GDPR Art. 17(1): no-longer-necessary, consent-withdrawn, objection, unlawfully-processed, "
         "legal-obligation, child"},
	{"output", "FILE", "write the certificate to FILE, too"},
	{"key", "KEY", "erase verify: the log's verifier key, or a file with it"},
	SESSION_AS_OPTIONS,
	{NULL, NULL, NULL},
};

static const struct example examples[] = {
	{"radseal erase --subject P017 --ground consent-withdrawn --output p017.note",
         "erase, and keep the certificate"},
	{"radseal erase verify p017.note --key log.vkey", "check a certificate, without the node"},
	{NULL, NULL},
};

const struct command command_erase = {
	.name = "erase",
	.arguments = "--subject ID [--home DIR] | verify CERTIFICATE --key KEY",
	.summary = "erase a subject: key, objects, records, receipts; prove it; certify it",
	.description =
		"The entry comes first: the contract lets administrators of the subject's custodian and the subject's own\n"
		"key erase. It ends all consents. Then the subject's key is deleted, and with it everything that the log\n"
		"says of the subject turns into noise; objects, receipts and records are removed; every key that is left is\n"
		"tried on what there was, and the databases, their free pages and logs are searched for it. The proofs of\n"
		"all others still hold. What lies in quarantine and names them is removed as well. Backups: see\n"
		"SECURITY.md. Interrupted, it is ended when the node is opened next.\n"
		"The same patient sealed again later is a new subject that nothing links with the old one.",
	.options = options,
	.examples = examples,
	.run = run,
};
