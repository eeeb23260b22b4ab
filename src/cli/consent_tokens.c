/* radseal consent: what looks at consents and changes nothing. */
#include <stdio.h>
#include <string.h>

#include "consent/consent_record.h"
#include "consent_call.h"
#include "ledger/ledger_claim.h"
#include "node/node_subject.h"
#include "trust.h"

#define DOCUMENT_SIZE_MAX ((size_t)1 << 20)
#define REVOCATIONS_SIZE_MAX ((size_t)1 << 26)
void consent_named_finish(struct consent_named *named) { rs_secret_buffer_finish(&named->file); }

enum rs_code consent_token_read(const char *path, struct consent_named *out, struct rs_error *err)
{
	if (!rs_path_exists(rs_world_system(), path))
		return rs_error_set(err, RS_NOT_FOUND, "%s: there is no such file", path);
	RS_TRY(rs_file_read_all(rs_world_system(), path, RS_CONSENT_TOKEN_SIZE_MAX, &out->file, err));
	if (rs_consent_token_open(rs_buffer_bytes(&out->file), &out->token, err) != RS_OK)
		return rs_error_context(err, "%s", path);
	out->facts = (struct rs_consent_facts){.subject = out->token.subject,
	                                       .name = *rs_consent_token_name(&out->token)};
	if (!rs_consent_token_terms(&out->token, &out->facts.terms))
		return rs_error_set(err, RS_REFUSED, "%s: the token's blocks leave nothing", path);
	return RS_OK;
}

enum rs_code consent_named_find(const struct command_line *line, const char *text, struct rs_node **node,
                                struct consent_named *out, struct rs_error *err)
{
	enum rs_code code = consent_token_read(text, out, err);
	if (code != RS_NOT_FOUND)
		return code;
	if (!*node)
		RS_TRY(session_node(line, RS_NODE_READ, NULL, node, err));
	return rs_node_consent_find(*node, rs_str_from(text), &out->facts, err);
}

enum rs_code consent_subject(const struct command_line *line, struct rs_node *node,
                             struct rs_node_subject *out, bool *out_is_patient, struct rs_error *err)
{
	const char *patient = option_value(line, "subject"), *issuer = option_value(line, "issuer");
	if (!patient)
		return rs_error_set(err, RS_USAGE, "consent %s needs --subject", line->operands[0]);
	*out_is_patient = issuer || !rs_hex_decode(rs_str_from(patient), out->token.bytes, RS_SHA256_SIZE);
	return *out_is_patient ? rs_node_subject(node, issuer ? issuer : "", patient, out, err) : RS_OK;
}

void consent_facts_text(struct rs_buffer *out, const struct rs_consent_facts *facts)
{
	char text[2 * RS_SHA256_SIZE + 1];
	rs_hex_encode(rs_bytes_of(facts->name.bytes, RS_SHA256_SIZE), text);
	rs_buffer_printf(out, "%s%s\n", text, facts->revoked ? "  revoked" : "");
	rs_hex_encode(rs_bytes_of(facts->subject.bytes, RS_SHA256_SIZE), text);
	rs_buffer_printf(out, "  %-13s %s\n", "subject", text);
	consent_terms_text(out, &facts->terms);
}

static void facts_members(struct rs_json *json, const struct rs_consent_facts *facts)
{
	rs_json_key(json, "consent");
	rs_json_hex(json, rs_bytes_of(facts->name.bytes, RS_SHA256_SIZE));
	rs_json_key(json, "subject");
	rs_json_hex(json, rs_bytes_of(facts->subject.bytes, RS_SHA256_SIZE));
	rs_consent_terms_json(json, &facts->terms);
	rs_json_key(json, "revoked");
	rs_json_bool(json, facts->revoked);
}

void consent_facts_json(struct rs_json *json, const struct rs_consent_facts *facts)
{
	rs_json_object_begin(json);
	facts_members(json, facts);
	rs_json_object_end(json);
}

static void blocks_text(struct rs_buffer *out, const struct rs_consent_token *token)
{
	char id[2 * RS_SHA256_SIZE + 1], key[RS_MEMBER_KEY_TEXT_SIZE];
	for (size_t i = 0; i < token->count; i++) {
		rs_hex_encode(rs_bytes_of(token->blocks[i].id.bytes, RS_SHA256_SIZE), id);
		rs_member_key_format(&token->blocks[i].signer, key);
		rs_buffer_printf(out, "  %-13s %s signed by %s\n", i ? "block" : "issued", id, key);
	}
	rs_buffer_printf(out, "  %-13s %s\n", "sealed", token->sealed ? "yes" : "no: keep it as a key");
}

static void blocks_json(struct rs_json *json, const struct rs_consent_token *token)
{
	rs_json_key(json, "sealed");
	rs_json_bool(json, token->sealed);
	rs_json_key(json, "blocks");
	rs_json_array_begin(json);
	for (size_t i = 0; i < token->count; i++) {
		rs_json_object_begin(json);
		rs_json_key(json, "id");
		rs_json_hex(json, rs_bytes_of(token->blocks[i].id.bytes, RS_SHA256_SIZE));
		rs_json_key(json, "signer");
		rs_json_hex(json, rs_bytes_of(token->blocks[i].signer.bytes, RS_KEY_SIZE));
		rs_json_object_end(json);
	}
	rs_json_array_end(json);
}

enum rs_code consent_show(const struct command_line *line, struct rs_error *err)
{
	struct rs_node *node RS_CLEANUP(session_node_close) = NULL;
	struct consent_named named RS_CLEANUP(consent_named_finish) = {.file = {0}};
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_json json;
	if (line->operand_count != 2)
		return rs_error_set(err, RS_USAGE,
		                    "consent show: name one consent of the ledger, or token's file");
	RS_TRY(consent_named_find(line, line->operands[1], &node, &named, err));
	rs_buffer_init(&text, DOCUMENT_SIZE_MAX);
	rs_json_init(&json, &text, true);
	if (option_given(line, "json")) {
		rs_json_object_begin(&json);
		facts_members(&json, &named.facts);
		if (named.file.size)
			blocks_json(&json, &named.token);
		rs_json_object_end(&json);
		rs_buffer_append_text(&text, "\n");
	} else {
		consent_facts_text(&text, &named.facts);
		if (named.file.size)
			blocks_text(&text, &named.token);
	}
	RS_TRY(rs_buffer_check(&text, "a consent", err));
	return session_write(NULL, rs_buffer_bytes(&text), err);
}

/* Tokens, and what is believed of them. */
struct checking {
	struct rs_consent_token *tokens;
	size_t count;
	struct rs_member_key keys[REPEATS_MAX];
	struct rs_digest *revoked;
	size_t revoked_count;
};

static void checking_finish(struct checking *checking)
{
	rs_free(checking->tokens);
	rs_free(checking->revoked);
}

static enum rs_code read_tokens(const struct command_line *line, struct checking *out, struct rs_error *err)
{
	size_t count = line->operand_count - 1;
	if (count == 0 || count > RS_CONSENT_TOKENS_MAX)
		return rs_error_set(err, RS_USAGE, "consent verify: name 1 to %d token files",
		                    RS_CONSENT_TOKENS_MAX);
	out->tokens = rs_allocate_array(count, sizeof *out->tokens);
	if (!out->tokens)
		return rs_error_memory(err, count * sizeof *out->tokens, "consent tokens");
	for (; out->count < count; out->count++) {
		struct consent_named named RS_CLEANUP(consent_named_finish) = {.file = {0}};
		RS_TRY(consent_token_read(line->operands[1 + out->count], &named, err));
		out->tokens[out->count] = named.token;
	}
	return RS_OK;
}

static enum rs_code read_revocations(const struct command_line *line, struct checking *out,
                                     struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	const char *path = option_value(line, "revocations");
	size_t number = 0;
	if (!path)
		return RS_OK;
	RS_TRY(rs_file_read_all(rs_world_system(), path, REVOCATIONS_SIZE_MAX, &file, err));
	struct rs_str rest = rs_buffer_str(&file), text;
	out->revoked = rs_allocate_array(file.size / (2 * (size_t)RS_SHA256_SIZE) + 1, sizeof *out->revoked);
	if (!out->revoked)
		return rs_error_memory(err, file.size, "revocations");
	while (rs_str_split(&rest, '\n', &text)) {
		number++;
		if (rs_str_trim(text).size == 0)
			continue;
		if (!rs_hex_decode(rs_str_trim(text), out->revoked[out->revoked_count++].bytes,
		                   RS_SHA256_SIZE))
			return rs_error_set(err, RS_MALFORMED,
			                    "%s: line %zu is no name of 64 hexadecimal digits", path, number);
	}
	return RS_OK;
}

/* One verifier key a line. */
static enum rs_code read_witnesses(const char *path, struct trusted *out, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_str rest, text;
	if (!path)
		return RS_OK;
	RS_TRY(rs_file_read_all(rs_world_system(), path, (size_t)REPEATS_MAX * RS_VKEY_SIZE, &file, err));
	rest = rs_buffer_str(&file);
	while (rs_str_split(&rest, '\n', &text)) {
		char *vkey RS_CLEANUP(rs_free_pointer) = rs_str_duplicate(rs_str_trim(text));
		if (!vkey)
			return rs_error_memory(err, text.size, "a key");
		if (*vkey && trusted_witness(out, vkey, err) != RS_OK)
			return rs_error_context(err, "%s", path);
	}
	return RS_OK;
}

/* What a ledger proved of the subject's consents: denials, narrowings and revocations up to then. */
static enum rs_code hear_proof(const struct command_line *line, struct rs_consent_hearing *hearing,
                               uint64_t *out_time_ms, struct rs_error *err)
{
	struct rs_claim_facts facts RS_CLEANUP(rs_claim_facts_finish) = {.present = false};
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct trusted trusted = {.trust = {.quorum = 0}};
	const char *path = option_value(line, "proof");
	if (!option_given(line, "log"))
		return rs_error_set(err, RS_USAGE, "--proof needs --log, the verifier key of its log");
	RS_TRY(trusted_log(&trusted, "--log", option_value(line, "log"), err));
	RS_TRY(read_witnesses(option_value(line, "witnesses"), &trusted, err));
	RS_TRY(trusted_quorum(&trusted, line, err));
	RS_TRY(rs_file_read_all(rs_world_system(), path, RS_CLAIM_SIZE_MAX, &text, err));
	if (rs_claim_check(rs_buffer_str(&text), &trusted.trust, &facts, err) != RS_OK)
		return rs_error_context(err, "%s", path);
	*out_time_ms = facts.time_ms;
	return rs_consent_hear_proved(hearing, rs_buffer_bytes(&facts.key), rs_buffer_bytes(&facts.value),
	                              err);
}

static void refuse_old_proof(const struct rs_consent_question *question, uint64_t time_ms, uint64_t age_s,
                             struct rs_consent_answer *answer)
{
	bool is_old = question->time_ms > time_ms && question->time_ms - time_ms > age_s * 1000;
	if (answer->refusal != RS_REFUSAL_NONE || !is_old)
		return;
	*answer = (struct rs_consent_answer){.refusal = RS_REFUSAL_NO_CONSENT};
	snprintf(answer->sentence, sizeof answer->sentence,
	         "the proof that the consent is in force is older than --max-age");
}

static enum rs_code judge_offline(const struct command_line *line, struct checking *checking,
                                  const struct rs_consent_question *question, struct rs_consent_answer *out,
                                  struct rs_error *err)
{
	struct rs_consent_hearing hearing = {
		.question = question, .tokens = checking->tokens, .count = checking->count};
	bool has_proof = option_given(line, "proof");
	uint64_t age_s, time_ms = question->time_ms;
	if (line->repeat_count == 0)
		return rs_error_set(err, RS_USAGE,
		                    "consent verify --offline needs the --key of who may consent");
	for (size_t i = 0; i < line->repeat_count; i++)
		if (rs_member_key_parse(rs_str_from(line->repeats[i]), &checking->keys[i], err) != RS_OK) {
			rs_error_context(err, "--key");
			return err->code = RS_USAGE;
		}
	if (!has_proof && (option_given(line, "log") || option_given(line, "max-age") ||
	                   option_given(line, "witnesses") || option_given(line, "quorum")))
		return rs_error_set(err, RS_USAGE,
		                    "--log, --witnesses, --quorum and --max-age go with --proof");
	RS_TRY(option_u64(line, "max-age", UINT64_MAX / 1000, UINT64_MAX / 1000, &age_s, err));
	if (has_proof)
		RS_TRY(hear_proof(line, &hearing, &time_ms, err));
	const struct rs_consent_trust trust = {checking->keys, line->repeat_count, checking->revoked,
	                                       checking->revoked_count, has_proof ? &hearing : NULL};
	rs_consent_judge(checking->tokens, checking->count, &trust, question, out);
	refuse_old_proof(question, time_ms, age_s, out);
	return RS_OK;
}

static enum rs_code judge_at_node(const struct command_line *line, struct checking *checking,
                                  const struct rs_consent_question *question, struct rs_consent_answer *out,
                                  struct rs_error *err)
{
	struct rs_node *node RS_CLEANUP(session_node_close) = NULL;
	if (line->repeat_count || checking->revoked_count || option_given(line, "proof"))
		return rs_error_set(
			err, RS_USAGE,
			"--key, --proof and --revocations go with --offline: here the ledger knows");
	RS_TRY(session_node(line, RS_NODE_READ, NULL, &node, err));
	return rs_node_consent_judge(node, checking->tokens, checking->count, question, out, err);
}

static enum rs_code print_answer(const struct command_line *line, const struct rs_consent_answer *answer,
                                 struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_json json;
	bool permits = answer->refusal == RS_REFUSAL_NONE;
	rs_buffer_init(&text, DOCUMENT_SIZE_MAX);
	rs_json_init(&json, &text, true);
	if (option_given(line, "json")) {
		rs_json_object_begin(&json);
		rs_json_key(&json, "permitted");
		rs_json_bool(&json, permits);
		rs_json_key(&json, "refusal");
		rs_json_text(&json, rs_refusal_name(answer->refusal));
		rs_json_key(&json, "sentence");
		rs_json_text(&json, answer->sentence);
		rs_json_object_end(&json);
		rs_buffer_append_text(&text, "\n");
	} else if (permits) {
		rs_buffer_printf(&text, "%s\n", answer->sentence);
	}
	RS_TRY(rs_buffer_check(&text, "the answer", err));
	RS_TRY(session_write(NULL, rs_buffer_bytes(&text), err));
	return permits ? RS_OK
	               : rs_error_set(err, RS_REFUSED, "%s: %s", rs_refusal_name(answer->refusal),
	                              answer->sentence);
}

enum rs_code consent_verify(const struct command_line *line, struct rs_error *err)
{
	struct checking checking RS_CLEANUP(checking_finish) = {.tokens = NULL};
	struct rs_consent_question question;
	struct rs_consent_answer answer;
	bool asked;
	RS_TRY(consent_question_of(line, &question, &asked, err));
	if (!asked)
		return rs_error_set(
			err, RS_USAGE,
			"consent verify: say who asks for what: --organisation, --role, --purpose and "
			"--operation (consent show tells what a token says)");
	RS_TRY(read_tokens(line, &checking, err));
	RS_TRY(read_revocations(line, &checking, err));
	question.subject = checking.tokens[0].subject;
	RS_TRY(option_given(line, "offline") ? judge_offline(line, &checking, &question, &answer, err)
	                                     : judge_at_node(line, &checking, &question, &answer, err));
	return print_answer(line, &answer, err);
}

static enum rs_code export_fhir(const struct command_line *line, const struct consent_named *named,
                                enum rs_fhir_version version, struct rs_error *err)
{
	struct rs_buffer out RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_fhir_consent consent = {.subject = named->facts.subject,
	                                  .consent = named->facts.name,
	                                  .revoked = named->facts.revoked,
	                                  .issued_ms = named->token.issued_ms,
	                                  .count = 1};
	consent.rules[0] = named->facts.terms;
	rs_buffer_init(&out, DOCUMENT_SIZE_MAX);
	RS_TRY(rs_fhir_consent_write(version, &consent, &out, err));
	return session_write(option_value(line, "output"), rs_buffer_bytes(&out), err);
}

/* With the patient at hand it is the patient's receipt. */
static enum rs_code write_record(const struct command_line *line, struct rs_node *node,
                                 struct rs_consent_record *record, struct rs_buffer *out,
                                 struct rs_error *err)
{
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {{0}};
	struct rs_consent_openings openings = {.key = &key};
	struct rs_str studies[RS_STUDIES_MAX], rest = rs_str_from(option_value(line, "studies"));
	struct rs_node_subject subject;
	bool is_patient;
	if (!option_given(line, "subject"))
		return rs_consent_record_write(record, out, err);
	RS_TRY(consent_subject(line, node, &subject, &is_patient, err));
	if (!is_patient || !rs_digest_equal(&subject.token, &record->consent->subject))
		return rs_error_set(err, RS_USAGE, "--subject is not the patient whose consent this is");
	RS_TRY(rs_node_commitment_key(node, &subject, &key, err));
	while (openings.count < RS_STUDIES_MAX && rs_str_split(&rest, ',', &studies[openings.count]))
		openings.count++;
	openings.studies = studies;
	record->openings = &openings;
	enum rs_code code = rs_consent_record_write(record, out, err);
	record->openings = NULL;
	return code;
}

static enum rs_code export_record(const struct command_line *line, const struct consent_named *named,
                                  struct rs_node **node, struct rs_error *err)
{
	struct rs_buffer out RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_subject_facts custody;
	if (!*node)
		RS_TRY(session_node(line, RS_NODE_READ, NULL, node, err));
	const struct rs_state state = rs_node_state(*node);
	enum rs_code code = rs_contract_subject(&state, &named->facts.subject, &custody, err);
	if (code != RS_OK)
		return code == RS_NOT_FOUND ? rs_error_set(err, code, "this ledger does not know the subject")
		                            : code;
	struct rs_consent_record record = {.consent = &named->facts,
	                                   .controller = rs_str_from(custody.custodian),
	                                   .issued_ms = named->token.issued_ms,
	                                   .written_ms = rs_world_now_ms(rs_world_system())};
	rs_buffer_init(&out, DOCUMENT_SIZE_MAX);
	RS_TRY(write_record(line, *node, &record, &out, err));
	const char *path = option_value(line, "output");
	return path ? rs_file_replace(rs_world_system(), path, rs_buffer_bytes(&out), 0600, err)
	            : session_write(NULL, rs_buffer_bytes(&out), err);
}

enum rs_code consent_export(const struct command_line *line, struct rs_error *err)
{
	struct rs_node *node RS_CLEANUP(session_node_close) = NULL;
	struct consent_named named RS_CLEANUP(consent_named_finish) = {.file = {0}};
	struct rs_str format = rs_str_from(option_value(line, "format"));
	if (line->operand_count != 2)
		return rs_error_set(err, RS_USAGE,
		                    "consent export: name one consent of the ledger, or token's file");
	RS_TRY(consent_named_find(line, line->operands[1], &node, &named, err));
	if (rs_str_equal_text(format, "fhir-r4"))
		return export_fhir(line, &named, RS_FHIR_R4, err);
	if (rs_str_equal_text(format, "fhir-r5"))
		return export_fhir(line, &named, RS_FHIR_R5, err);
	if (rs_str_equal_text(format, "ts27560"))
		return export_record(line, &named, &node, err);
	return rs_error_set(err, RS_USAGE, "consent export: --format is fhir-r4, fhir-r5 or ts27560");
}
