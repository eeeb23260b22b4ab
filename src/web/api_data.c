/* What a node keeps, given out as the contract allows, and verified. */
#include <stdio.h>
#include <string.h>

#include "access/access_retrieve.h"
#include "api.h"
#include "consent/consent_words.h"
#include "devices/devices.h"
#include "memory_files.h"
#include "node/node_erase.h"
#include "workflow/workflow.h"

#define ANSWER_MAX ((uint64_t)40 << 20) /* of contents: as base64 they fit an answer */
#define OBJECTS_MAX 1000
#define OPERATIONS "read,extract,train,predict,export"

static enum rs_operation operation_of(const struct call *call)
{
	const char *text = call_text(call, "operation");
	return (enum rs_operation)(text ? rs_consent_word_number(RS_WORD_OPERATION, rs_str_from(text))
	                                : RS_OPERATION_READ);
}

struct giving {
	struct call *call;
	uint64_t given;     /* bytes */
	char paths[2][512]; /* of a single object: itself and its receipt */
	bool single;
	enum rs_code code;
	struct rs_error error;
};

static enum rs_code put_file(struct giving *giving, const char *key, const char *path, bool is_text,
                             struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	char *text RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(rs_file_read_all(rs_world_system(), path, (size_t)(ANSWER_MAX - giving->given), &file, err));
	giving->given += file.size;
	rs_json_key(&giving->call->json, key);
	if (is_text) {
		rs_json_str(&giving->call->json, rs_buffer_str(&file));
		return RS_OK;
	}
	text = rs_allocate(RS_BASE64_SIZE(file.size));
	if (!text)
		return rs_error_memory(err, RS_BASE64_SIZE(file.size), "an object");
	rs_base64_encode(rs_buffer_bytes(&file), text);
	rs_json_text(&giving->call->json, text);
	return RS_OK;
}

static enum rs_code put_content(struct giving *giving, const struct rs_retrieved *result,
                                struct rs_error *err)
{
	char receipt[560];
	if (!*result->path) {
		put_text(giving->call, "content", NULL);
		put_text(giving->call, "receipt", NULL);
		return RS_OK;
	}
	(void)snprintf(receipt, sizeof receipt, "%s.tlog-proof", result->path);
	RS_TRY(put_file(giving, "content", result->path, false, err));
	return put_file(giving, "receipt", receipt, true, err);
}

static void give(void *context, const struct rs_retrieved *result)
{
	struct giving *giving = context;
	struct call *call = giving->call;
	if (giving->single) {
		(void)snprintf(giving->paths[0], sizeof giving->paths[0], "%s", result->path);
		(void)snprintf(giving->paths[1], sizeof giving->paths[1], "%s.tlog-proof", result->path);
		return;
	}
	if (giving->code != RS_OK)
		return;
	row_begin(call);
	put_text(call, "object", result->cid);
	rs_json_key(&call->json, "entry");
	if (result->asked)
		rs_json_u64(&call->json, result->entry);
	else
		rs_json_null(&call->json);
	put_text(call, "decision",
	         result->decision.refusal != RS_REFUSAL_NONE ? rs_refusal_name(result->decision.refusal)
	                                                     : "permitted");
	put_text(call, "basis", rs_basis_name(result->decision.basis));
	put_text(call, "reason", result->error.message);
	giving->code = put_content(giving, result, &giving->error);
	if (giving->code == RS_OK)
		giving->code = row_end(call, &giving->error);
}

static enum rs_code retrieve_into(struct call *call, struct rs_retrieval *what, struct giving *giving,
                                  struct memory_files *scratch, struct rs_error *err)
{
	RS_TRY(memory_files_make(scratch, err));
	what->purpose = call->request->purpose;
	what->operation = operation_of(call);
	what->directory = scratch->path;
	what->report = give;
	what->context = giving;
	return rs_node_retrieve(call->node, call->actor, what, err);
}

/* What is refused stands in the list, too; the call as a whole fails when nothing was found, or too much. */
static enum rs_code retrieve(struct call *call, struct rs_error *err)
{
	struct memory_files scratch RS_CLEANUP(memory_files_remove) = {.path = ""};
	struct giving giving = {.call = call};
	struct rs_node_subject subject;
	char *cids[OBJECTS_MAX];
	const json_t *objects = json_object_get(call->body, "objects");
	struct rs_retrieval what = {.study = rs_str_from(call_text(call, "study")),
	                            .series = rs_str_from(call_text(call, "series")),
	                            .instance = rs_str_from(call_text(call, "instance")),
	                            .cids = cids,
	                            .cid_count = json_array_size(objects)};
	if (what.cid_count > OBJECTS_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "at most %d objects are asked for at once",
		                    OBJECTS_MAX);
	if (!call_text(call, "subject") == (what.cid_count == 0))
		return rs_error_set(err, RS_USAGE, "name a subject or objects");
	for (size_t i = 0; i < what.cid_count; i++)
		cids[i] = (char *)(uintptr_t)json_string_value(json_array_get(objects, i));
	if (what.cid_count == 0) {
		RS_TRY(call_subject(call, &subject, err));
		what.subject = &subject;
	}
	enum rs_code code = retrieve_into(call, &what, &giving, &scratch, err);
	if (giving.code != RS_OK) {
		if (err)
			*err = giving.error;
		return giving.code;
	}
	return code == RS_NOT_FOUND || (code != RS_OK && call->request->body.size <= 1) ? code : RS_OK;
}

static enum rs_code object(struct call *call, struct rs_error *err)
{
	struct memory_files scratch RS_CLEANUP(memory_files_remove) = {.path = ""};
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct giving giving = {.call = call, .single = true};
	char name[129];
	char *cids[] = {name};
	struct rs_retrieval what = {.cids = cids, .cid_count = 1};
	bool receipt = call_flag(call, "receipt");
	RS_TRY(call_name(call, name, err));
	RS_TRY(retrieve_into(call, &what, &giving, &scratch, err));
	RS_TRY(rs_file_read_all(rs_world_system(), giving.paths[receipt], BODY_MAX, &file, err));
	if (receipt)
		(void)snprintf(call->request->media, sizeof call->request->media,
		               "text/plain; charset=utf-8");
	rs_buffer_append_bytes(&call->request->body, rs_buffer_bytes(&file));
	return rs_buffer_check(&call->request->body, "an object; ask for it by DICOMweb", err);
}

/* Who signed for it: a device its bytes, or the manifest that lists it. */
static enum rs_code put_source(struct call *call, const struct rs_proof_details *details,
                               struct rs_error *err)
{
	struct rs_listings *listings;
	struct rs_listing listing = {.name = ""};
	RS_TRY(rs_listings_open(call->node, &listings, err));
	enum rs_code code = details->has_manifest
	                            ? rs_listings_manifest(listings, &details->manifest, &listing, err)
	                            : rs_listings_find(listings, &details->sha256, &listing, err);
	rs_listings_close(listings);
	put_text(call, "source", details->source);
	put_text(call, "device", details->device);
	put_text(call, "listed_by", listing.name);
	return code == RS_NOT_FOUND ? RS_OK : code;
}

static enum rs_code verify(struct call *call, struct rs_error *err)
{
	struct memory_files scratch RS_CLEANUP(memory_files_remove) = {.path = ""};
	struct rs_proof_details details = {.entry = 0};
	char path[80];
	RS_TRY(memory_files_make(&scratch, err));
	(void)snprintf(path, sizeof path, "%s/file", scratch.path);
	RS_TRY(rs_file_replace(rs_world_system(), path, call_bytes(call), 0600, err));
	enum rs_code code = rs_node_verify(call->node, path, &details, err);
	if (code != RS_OK && code != RS_ALTERED && code != RS_NOT_FOUND && code != RS_MALFORMED)
		return code;
	put_text(call, "verdict", code == RS_OK ? "genuine" : code == RS_NOT_FOUND ? "unknown" : "altered");
	put_text(call, "sealed_at", details.sealed_at);
	put_text(call, "origin", details.origin);
	put_text(call, "media", details.media);
	RS_TRY(put_source(call, &details, err));
	rs_json_key(&call->json, "entry");
	if (code == RS_OK)
		rs_json_u64(&call->json, details.entry);
	else
		rs_json_null(&call->json);
	return RS_OK;
}

struct sealing {
	struct call *call;
	enum rs_code code;
	struct rs_error error;
};

static void sealed(void *context, const struct rs_admit_result *result)
{
	struct sealing *sealing = context;
	struct giving reading = {.call = sealing->call};
	if (result->outcome == RS_ADMIT_FAILED || result->outcome == RS_ADMIT_SKIPPED) {
		sealing->code = result->error.code;
		sealing->error = result->error;
		return;
	}
	put_text(sealing->call, "outcome", result->outcome == RS_ADMIT_SEALED ? "sealed" : "known");
	put_text(sealing->call, "media", result->media);
	put_number(sealing->call, "size", result->size);
	sealing->code = put_file(&reading, "receipt", result->receipt_path, true, &sealing->error);
}

static enum rs_code seal(struct call *call, struct rs_error *err)
{
	struct memory_files scratch RS_CLEANUP(memory_files_remove) = {.path = ""};
	struct sealing sealing = {.call = call};
	char path[80], *paths[] = {path};
	const struct rs_admit_options options = {.actor = call->actor,
	                                         .place = call_text(call, "place"),
	                                         .subject = call_text(call, "subject"),
	                                         .report = sealed,
	                                         .context = &sealing};
	RS_TRY(memory_files_make(&scratch, err));
	(void)snprintf(path, sizeof path, "%s/file", scratch.path);
	RS_TRY(rs_file_replace(rs_world_system(), path, call_bytes(call), 0600, err));
	enum rs_code code = rs_node_admit(call->node, paths, 1, &options, err);
	if (code == RS_OK && sealing.code != RS_OK) {
		code = sealing.code;
		if (err)
			*err = sealing.error;
	}
	/* Where it lay meanwhile is nobody's business. */
	size_t size = strlen(path);
	if (code != RS_OK && err && strncmp(err->message, path, size) == 0 &&
	    strncmp(err->message + size, ": ", 2) == 0)
		memmove(err->message, err->message + size + 2, strlen(err->message + size + 2) + 1);
	return code;
}

static enum rs_code erase(struct call *call, struct rs_error *err)
{
	struct rs_buffer certificate RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_quarantine_forgotten forgotten;
	struct rs_erasure_facts facts;
	const char *issuer = call_text(call, "issuer");
	rs_buffer_init(&certificate, BODY_MAX / 2);
	RS_TRY(rs_node_erase(call->node, call->actor, issuer ? issuer : "", call_text(call, "subject"),
	                     call_text(call, "ground"), &certificate, &facts, err));
	RS_TRY(rs_quarantine_forget(call->node, NULL, issuer ? issuer : "", call_text(call, "subject"),
	                            &forgotten, err));
	put_number(call, "entry", facts.entry);
	put_text(call, "erased_at", facts.erased_at);
	put_text(call, "ground", facts.ground);
	put_number(call, "commitments", facts.commitments);
	put_number(call, "objects", facts.objects);
	put_number(call, "accesses", facts.accesses);
	put_number(call, "quarantine_removed", forgotten.removed);
	put_number(call, "quarantine_unattributed", forgotten.unattributed);
	rs_json_key(&call->json, "certificate");
	rs_json_str(&call->json, rs_buffer_str(&certificate));
	return RS_OK;
}

#define END                                         \
	{                                           \
		NULL, FIELD_TEXT, false, NULL, NULL \
	}
static const struct field retrieve_fields[] = {
	{"subject", FIELD_TEXT, false, "the patient whose objects", NULL},
	{"issuer", FIELD_TEXT, false, "who issued that identifier", NULL},
	{"study", FIELD_TEXT, false, "of this StudyInstanceUID", NULL},
	{"series", FIELD_TEXT, false, "of this SeriesInstanceUID", NULL},
	{"instance", FIELD_TEXT, false, "of this SOPInstanceUID", NULL},
	{"objects", FIELD_TEXTS, false, "instead of a subject: addresses (CID)", NULL},
	{"operation", FIELD_TEXT, false, "what is done with them; otherwise read", OPERATIONS},
	END};
static const struct field retrieved_fields[] = {
	{"object", FIELD_TEXT, true, "its address (CID)", NULL},
	{"entry", FIELD_NUMBER, false, "the access request in the ledger", NULL},
	{"decision", FIELD_TEXT, true, "permitted, or the refusal's name", NULL},
	{"basis", FIELD_TEXT, false, "on which ground", NULL},
	{"reason", FIELD_TEXT, false, "why not", NULL},
	{"content", FIELD_TEXT, false, "base64; null: it was not given out", NULL},
	{"receipt", FIELD_TEXT, false, "C2SP tlog-proof", NULL},
	END};
static const struct field object_query[] = {
	{"operation", FIELD_TEXT, false, "what is done with it; otherwise read", OPERATIONS},
	{"receipt", FIELD_SWITCH, false, "its receipt instead", NULL},
	END};
static const struct field verify_fields[] = {
	{"verdict", FIELD_TEXT, true, "whether it is what was sealed here", "genuine,altered,unknown"},
	{"sealed_at", FIELD_TIME, false, "when", NULL},
	{"origin", FIELD_TEXT, false, "by which log", NULL},
	{"media", FIELD_TEXT, false, "what it is", NULL},
	{"source", FIELD_TEXT, false, "over which network it came, and from whom", NULL},
	{"device", FIELD_TEXT, false, "that signed it", NULL},
	{"listed_by", FIELD_TEXT, false, "the device whose manifest lists it, which it did not sign itself",
         NULL},
	{"entry", FIELD_NUMBER, false, "in the ledger", NULL},
	END};

static const struct field seal_query[] = {
	{"subject", FIELD_TEXT, false, "whose it is, for files that do not say so themselves", NULL},
	{"place", FIELD_TEXT, false, "what was imaged, as a commitment on the ledger", NULL},
	END};
static const struct field sealed_fields[] = {
	{"outcome", FIELD_TEXT, true, "known: the same bytes were sealed before", "sealed,known"},
	{"media", FIELD_TEXT, false, "what it is, by its content", NULL},
	{"size", FIELD_NUMBER, true, "bytes", NULL},
	{"receipt", FIELD_TEXT, true, "C2SP tlog-proof", NULL},
	END};
static const struct field erase_fields[] = {
	FIELDS_SUBJECT,
	{"ground", FIELD_TEXT, false, "of GDPR article 17(1)",
         "no-longer-necessary,consent-withdrawn,objection,unlawfully-processed,legal-obligation,child"},
	END};
static const struct field erased_fields[] = {
	FIELD_ENTRY,
	{"erased_at", FIELD_TIME, true, "when", NULL},
	{"ground", FIELD_TEXT, false, "as it was given", NULL},
	{"commitments", FIELD_NUMBER, true, "in the log, that nothing opens any more", NULL},
	{"objects", FIELD_NUMBER, true, "removed", NULL},
	{"accesses", FIELD_NUMBER, true, "before, after which copies may lie elsewhere", NULL},
	{"quarantine_removed", FIELD_NUMBER, true, "pieces of theirs, from quarantine", NULL},
	{"quarantine_unattributed", FIELD_NUMBER, true,
         "pieces in quarantine that say of nobody whose they are", NULL},
	{"certificate", FIELD_TEXT, true, "a signed note that anyone can verify", NULL},
	END};

const struct operation operations_data[] = {
	{.route = {.method = "POST",
                   .path = "/api/v1/retrieve",
                   .right = RS_WEB_MAY_RETRIEVE,
                   .body_max = 65536},
         .group = "data",
         .summary =
                 "Asks for objects: each request is in the ledger, and what the contract allows is given out",
         .body = retrieve_fields,
         .answer = retrieved_fields,
         .answers_list = true,
         .run = retrieve},
	{.route = {.method = "GET", .path = "/api/v1/objects/{name}", .right = RS_WEB_MAY_RETRIEVE},
         .group = "data",
         .summary = "Asks for one object by its address and gives it out as it was sealed",
         .query = object_query,
         .media = "application/octet-stream",
         .run = object},
	{.route = {.method = "POST", .path = "/api/v1/seal", .right = RS_WEB_MAY_STORE, .body_max = BODY_MAX},
         .group = "data",
         .summary = "Seals a file (for many DICOM instances there is STOW-RS)",
         .query = seal_query,
         .answer = sealed_fields,
         .status = 201,
         .run = seal},
	{.route = {.method = "POST",
                   .path = "/api/v1/verify",
                   .right = RS_WEB_MAY_QUERY,
                   .body_max = BODY_MAX},
         .group = "data",
         .summary = "Verifies a file: genuine, altered or unknown",
         .answer = verify_fields,
         .run = verify},
	{.route = {.method = "POST", .path = "/api/v1/erase", .right = RS_WEB_MAY_MANAGE, .body_max = 8192},
         .group = "data",
         .summary =
                 "Erases a subject: its key, objects, receipts and records; what the log has of it opens no more",
         .body = erase_fields,
         .answer = erased_fields,
         .run = erase},
	{.run = NULL},
};
