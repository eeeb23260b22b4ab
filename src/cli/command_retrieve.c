/* radseal retrieve: what the contract allows somebody to have, with the request on the ledger first. */
#include <stdio.h>
#include <string.h>

#include "access_words.h"
#include "session.h"
#include "transcoded.h"
#include "dicom/dicom.h"
#include "access/access_retrieve.h"

#define COPY_SIZE_MAX ((size_t)4 << 30)

struct output {
	struct rs_json json;
	bool as_json, quiet;
	uint64_t written, refused, failed;
	const char *transfer_syntax; /* of copies, besides; NULL: none */
	struct rs_error not_copied;  /* the first reason */
};

static const char *decision_of(const struct rs_retrieved *result)
{
	if (result->decision.refusal != RS_REFUSAL_NONE)
		return rs_refusal_name(result->decision.refusal);
	return result->asked ? "permitted" : "none";
}

static void report_json(struct rs_json *json, const struct rs_retrieved *result, const char *copy)
{
	rs_json_object_begin(json);
	rs_json_key(json, "object");
	rs_json_text(json, result->cid);
	rs_json_key(json, "path");
	rs_json_text(json, result->path);
	rs_json_key(json, "copy");
	if (copy)
		rs_json_text(json, copy);
	else
		rs_json_null(json);
	rs_json_key(json, "decision");
	rs_json_text(json, decision_of(result));
	rs_json_key(json, "basis");
	rs_json_text(json, rs_basis_name(result->decision.basis));
	rs_json_key(json, "entry");
	if (result->asked)
		rs_json_u64(json, result->entry);
	else
		rs_json_null(json);
	rs_json_key(json, "reason");
	rs_json_text(json, result->error.message);
	rs_json_object_end(json);
}

static void report(void *context, const struct rs_retrieved *result)
{
	struct output *output = context;
	struct rs_error err = {0};
	char *copy RS_CLEANUP(rs_free_pointer) = NULL;
	if (output->transfer_syntax && *result->path &&
	    transcoded_beside(result->path, output->transfer_syntax, &copy, &err) != RS_OK &&
	    output->not_copied.code == RS_OK)
		output->not_copied = err;
	output->written += *result->path != '\0';
	output->refused += result->error.code == RS_REFUSED;
	output->failed += result->error.code != RS_OK && result->error.code != RS_REFUSED;
	if (output->as_json)
		report_json(&output->json, result, copy);
	else if (*result->path)
		printf("%s\n%s%s", result->path, copy ? copy : "", copy ? "\n" : "");
	else
		fprintf(stderr, "radseal: %s: %s\n", result->cid, result->error.message);
}

static enum rs_code read_query(const struct command_line *line, struct rs_retrieval *out,
                               struct rs_error *err)
{
	const char *subject = option_value(line, "subject");
	static const char *const narrowing[] = {"issuer", "study", "series", "instance"};
	out->directory = option_value(line, "output");
	out->study = rs_str_from(option_value(line, "study"));
	out->series = rs_str_from(option_value(line, "series"));
	out->instance = rs_str_from(option_value(line, "instance"));
	out->cids = line->operands;
	out->cid_count = line->operand_count;
	if ((subject != NULL) + (line->operand_count > 0) + option_given(line, "copy") != 1)
		return rs_error_set(
			err, RS_USAGE,
			"retrieve: say whose data with --subject ID, or name objects by address, or "
			"give a de-identified --copy");
	if (option_given(line, "copy") != option_given(line, "project"))
		return rs_error_set(err, RS_USAGE,
		                    "retrieve: --copy and --project, which it was made for, go together");
	for (size_t i = 0; i < RS_COUNT(narrowing); i++)
		if (!subject && option_given(line, narrowing[i]))
			return rs_error_set(err, RS_USAGE, "retrieve: --%s goes with --subject",
			                    narrowing[i]);
	if (option_given(line, "transfer-syntax") && option_given(line, "for"))
		return rs_error_set(err, RS_USAGE,
		                    "retrieve: a bundle holds what is stored, in no other transfer syntax");
	if (!out->directory)
		return rs_error_set(err, RS_USAGE, "retrieve: say where to with -o DIR");
	RS_TRY(option_purpose(line, &out->purpose, err));
	return option_operation(
		line, RS_SET(RS_OPERATION_READ) | RS_SET(RS_OPERATION_EXTRACT) | RS_SET(RS_OPERATION_EXPORT),
		RS_OPERATION_READ, &out->operation, err);
}

/* Each object's reason was told where it failed. */
static enum rs_code conclude(const struct output *output, enum rs_code code, struct rs_error *err)
{
	if (!output->quiet && output->written + output->refused + output->failed)
		fprintf(stderr, "%llu written, %llu refused, %llu failed\n",
		        (unsigned long long)output->written, (unsigned long long)output->refused,
		        (unsigned long long)output->failed);
	if (code == RS_OK && output->not_copied.code != RS_OK) {
		*err = output->not_copied;
		code = err->code;
	}
	return code == RS_OK ? RS_OK : rs_error_context(err, "retrieve");
}

/* A public key, or the file with it that `radseal key new` leaves beside the key. */
static enum rs_code read_recipient(const char *text, struct rs_member_key *out, struct rs_error *err)
{
	struct rs_buffer content RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_str hex = rs_str_from(text);
	if (rs_path_exists(rs_world_system(), text)) {
		RS_TRY(rs_file_read_all(rs_world_system(), text, 4096, &content, err));
		hex = rs_str_trim(rs_buffer_str(&content));
	}
	if (rs_member_key_parse(hex, out, err) == RS_OK)
		return RS_OK;
	rs_error_context(err, "--for");
	return err->code = RS_USAGE;
}

static enum rs_code retrieve(const struct command_line *line, struct rs_node *node,
                             struct rs_retrieval *retrieval, struct rs_error *err)
{
	struct rs_actor *actor RS_CLEANUP(rs_actor_close_pointer) = NULL;
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct output output = {.as_json = option_given(line, "json"), .quiet = option_given(line, "quiet")};
	if (option_given(line, "transfer-syntax"))
		output.transfer_syntax = transfer_syntax_of(option_value(line, "transfer-syntax"));
	const char *subject = option_value(line, "subject"), *issuer = option_value(line, "issuer");
	struct rs_node_subject found;
	RS_TRY(session_actor(line, node, &actor, err));
	if (subject) {
		RS_TRY(rs_node_subject(node, issuer ? issuer : "", subject, &found, err));
		retrieval->subject = &found;
	}
	rs_buffer_init(&text, (size_t)1 << 30);
	rs_json_init(&output.json, &text, true);
	rs_json_array_begin(&output.json);
	retrieval->report = report;
	retrieval->context = &output;
	enum rs_code code = rs_node_retrieve(node, actor, retrieval, err);
	rs_json_array_end(&output.json);
	rs_buffer_append_text(&text, "\n");
	if (output.as_json) {
		struct rs_error printing = {0};
		enum rs_code printed = rs_buffer_check(&text, "the result", &printing);
		if (printed == RS_OK)
			printed = session_write(NULL, rs_buffer_bytes(&text), &printing);
		if (code == RS_OK && printed != RS_OK)
			return rs_error_set(err, printed, "%s", printing.message);
	}
	return conclude(&output, code, err);
}

/* The address of what the copy was made of. */
static enum rs_code find_original(const struct command_line *line, struct rs_node *node,
                                  char out[static RS_CID_TEXT_SIZE], struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_dicom dicom RS_CLEANUP(rs_dicom_finish) = {0};
	struct rs_dicom_metadata metadata;
	const char *path = option_value(line, "copy");
	RS_TRY(rs_file_read_all(rs_world_system(), path, COPY_SIZE_MAX, &file, err));
	enum rs_code code = rs_dicom_parse_header(rs_buffer_bytes(&file), &dicom, err);
	if (code == RS_OK)
		code = rs_dicom_metadata(&dicom, &metadata, err);
	if (code != RS_OK)
		return rs_error_context(err, "%s", path);
	return rs_node_find_original(node, rs_str_from(option_value(line, "project")),
	                             metadata.sop_instance_uid, out, err);
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	char original[RS_CID_TEXT_SIZE], *const originals[] = {original};
	struct rs_pool *pool RS_CLEANUP(session_pool_destroy) = NULL;
	struct rs_node *node RS_CLEANUP(session_node_close) = NULL;
	struct rs_retrieval retrieval = {.subject = NULL};
	struct rs_member_key recipient;
	RS_TRY(read_query(line, &retrieval, err));
	if (option_given(line, "for")) {
		RS_TRY(read_recipient(option_value(line, "for"), &recipient, err));
		retrieval.recipient = &recipient;
	}
	RS_TRY(session_pool(line, 2, &pool, err));
	RS_TRY(session_node(line, RS_NODE_WRITE, pool, &node, err));
	if (option_given(line, "copy")) {
		RS_TRY(find_original(line, node, original, err));
		retrieval.cids = originals;
		retrieval.cid_count = 1;
	}
	return retrieve(line, node, &retrieval, err);
}

static const struct option options[] = {
	{"subject", "ID", "whose data: the PatientID, or what was given to seal --subject"},
	{"issuer", "NAME", "the subject's IssuerOfPatientID, where files state one"},
	{"study", "UID", "only of this StudyInstanceUID"},
	{"series", "UID", "only of this SeriesInstanceUID"},
	{"instance", "UID", "only of this SOPInstanceUID"},
	{"purpose", "WORD",
         "what it is for: treatment, research, operations, emergency, audit or patient-request"},
	{"operation", "WORD", "what is done with it: read (otherwise), extract or export"},
	{"copy", "FILE",
         "what a de-identified copy was made of: re-identification, for whom the contract allows it"},
	{"project", "NAME", "of --copy, as it was given to radseal deidentify"},
	{"for", "KEY",
         "seal bundles to this member's key (64 digits, or a file NAME.pub); with --operation export"},
	{"output", "DIR", "where the files and their receipts go"},
	{"transfer-syntax", "NAME", "besides, a copy of each DICOM file: " TRANSFER_SYNTAX_HELP},
	SESSION_AS_OPTIONS,
	{NULL, NULL, NULL},
};

static const struct example examples[] = {
	{"radseal retrieve --subject P017 --as doctor --purpose treatment -o out", "all of a patient's data"},
	{"radseal retrieve --subject P017 --study 1.2.840.1 --as lab --purpose research -o out",
         "one study, as far as somebody consented"},
	{"radseal retrieve --subject P017 --purpose operations --operation export --for reader.pub -o out",
         "bundles that only the member with this key can open, with radseal open"},
	{"radseal retrieve --copy found.dcm --project trial --as doctor --purpose treatment -o out",
         "whose image this is: an incidental finding in a trial"},
	{NULL, NULL},
};

static const struct alias aliases[] = {{"-o", "output"}, {NULL, NULL}};

const struct command command_retrieve = {
	.name = "retrieve",
	.arguments =
		"(--subject ID | CID… | --copy FILE --project NAME) --purpose WORD -o DIR [--as NAME] [--home DIR]",
	.summary = "give out sealed data that somebody may have",
	.description =
		"Asks the contract on behalf of a member, who may have what for which purpose. The request is an\n"
		"entry of the ledger, durable before anything leaves; what is refused stays in, and the request\n"
		"stands. What is allowed is decrypted, compared with the ledger and written, named by its address,\n"
		"with a receipt beside it, which is of that file and of no copy in another transfer syntax.\n"
		"With --for nothing is decrypted: bundles hold the stored objects and their keys, sealed to a member to\n"
		"whom the contract would allow their use. Exit status 3 when something was refused.",
	.options = options,
	.examples = examples,
	.aliases = aliases,
	.run = run,
};
