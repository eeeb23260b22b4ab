/* The interface itself, the log, proofs. */
#include <stdio.h>
#include <string.h>

#include "access/access_audit.h"
#include "api.h"
#include "ledger/ledger.h"
#include "web/web_openapi.h"
#include "workflow/workflow_prove.h"

#define PROOF_SIZE_MAX ((size_t)4 << 20)

static enum rs_code openapi(struct call *call, struct rs_error *err)
{
	return rs_web_openapi(&call->request->body, err);
}

static enum rs_code log_state(struct call *call, struct rs_error *err)
{
	struct rs_checkpoint checkpoint;
	char note[4096];
	struct rs_str text = rs_ledger_checkpoint(rs_node_ledger(call->node));
	RS_TRY(rs_node_checkpoint(call->node, &checkpoint, err));
	if (text.size >= sizeof note)
		return rs_error_set(err, RS_TOO_LARGE, "the checkpoint has more than %zu bytes",
		                    sizeof note - 1);
	memcpy(note, text.data, text.size);
	note[text.size] = '\0';
	put_number(call, "size", checkpoint.size);
	put_hex(call, "root", checkpoint.root.bytes, RS_SHA256_SIZE);
	put_text(call, "checkpoint", note);
	put_text(call, "key", rs_node_vkey(call->node));
	return RS_OK;
}

static enum rs_code entry_proof(struct call *call, struct rs_error *err)
{
	struct rs_checkpoint checkpoint;
	char name[129];
	uint64_t entry;
	RS_TRY(call_name(call, name, err));
	RS_TRY(rs_node_checkpoint(call->node, &checkpoint, err));
	if (!rs_parse_u64(rs_str_from(name), &entry) || entry >= checkpoint.size)
		return rs_error_set(err, RS_NOT_FOUND, "the log has %llu entries, counted from 0",
		                    (unsigned long long)checkpoint.size);
	return rs_node_entry_proof(call->node, &checkpoint, entry, &call->request->body, err);
}

static enum rs_code prove(struct call *call, struct rs_error *err)
{
	static const struct {
		const char *kind;
		char letter;
	} kinds[] = {{"member", 'M'}, {"device", 'D'}, {"subject", 'S'}, {"consents", 'C'}, {"consent", 'C'}};
	const char *kind = call_text(call, "kind");
	struct rs_question question = {.letter = 0};
	for (size_t i = 0; i < RS_COUNT(kinds); i++)
		if (strcmp(kinds[i].kind, kind) == 0)
			question.letter = kinds[i].letter;
	(void)call_hex(call, "what", strcmp(kind, "consent") == 0 ? &question.consent : &question.what);
	return rs_node_prove(call->node, call->actor, &question, false, &call->request->body, err);
}

#define END                                         \
	{                                           \
		NULL, FIELD_TEXT, false, NULL, NULL \
	}
static const struct field log_fields[] = {
	{"size", FIELD_NUMBER, true, "entries", NULL},
	{"root", FIELD_HEX, true, "of the tree over them (RFC 6962)", NULL},
	{"checkpoint", FIELD_TEXT, true, "signed (C2SP tlog-checkpoint)", NULL},
	{"key", FIELD_TEXT, true, "that it is verified with", NULL},
	END};
static const struct field prove_fields[] = {
	{"kind", FIELD_TEXT, true, "what is asked for", "member,device,subject,consents,consent"},
	{"what", FIELD_HEX, true, "a key, a subject's token, or a consent's name", NULL},
	END};

const struct operation operations_node[] = {
	{.route = {.method = "GET", .path = "/api/v1/openapi.json"},
         .group = "interface",
         .summary = "This document",
         .media = "application/json",
         .is_outside = true,
         .run = openapi},
	{.route = {.method = "GET", .path = "/api/v1/log", .right = RS_WEB_MAY_QUERY},
         .group = "proofs",
         .summary = "Tells the log's last checkpoint",
         .answer = log_fields,
         .run = log_state},
	{.route = {.method = "GET", .path = "/api/v1/log/{name}/proof", .right = RS_WEB_MAY_QUERY},
         .group = "proofs",
         .summary = "Proves that an entry is in the log (C2SP tlog-proof)",
         .media = "text/plain; charset=utf-8",
         .run = entry_proof},
	{.route = {.method = "POST", .path = "/api/v1/prove", .right = RS_WEB_MAY_MANAGE, .body_max = 4096},
         .group = "proofs",
         .summary = "Proves what is in force: a member, a device, a subject, its consents",
         .body = prove_fields,
         .media = "text/plain; charset=utf-8",
         .run = prove},
	{.run = NULL},
};
