/* radseal consent: who may use whose data for what, on the ledger and as tokens. */
#include <stdio.h>
#include <string.h>

#include "consent_call.h"
#include "node/node_subject.h"

#define LIST_SIZE_MAX ((size_t)1 << 28)

struct output {
	struct rs_buffer text;
	struct rs_json json;
	bool as_json, only_revoked;
};

static void output_finish(struct output *output) { rs_buffer_finish(&output->text); }

static void output_begin(struct output *output, const struct command_line *line)
{
	output->as_json = option_given(line, "json");
	output->only_revoked = option_given(line, "revoked");
	rs_buffer_init(&output->text, LIST_SIZE_MAX);
	rs_json_init(&output->json, &output->text, true);
}

static enum rs_code output_end(struct output *output, struct rs_error *err)
{
	if (output->as_json)
		rs_buffer_append_text(&output->text, "\n");
	RS_TRY(rs_buffer_check(&output->text, "the result", err));
	return session_write(NULL, rs_buffer_bytes(&output->text), err);
}

/* What became an entry: its name and place. */
static void add_entry(struct output *output, const char *what, const struct rs_digest *name, uint64_t index)
{
	char text[2 * RS_SHA256_SIZE + 1];
	rs_hex_encode(rs_bytes_of(name->bytes, RS_SHA256_SIZE), text);
	if (!output->as_json) {
		rs_buffer_printf(&output->text, "%s  %s  entry %llu\n", what, text,
		                 (unsigned long long)index);
		return;
	}
	rs_json_object_begin(&output->json);
	rs_json_key(&output->json, "what");
	rs_json_text(&output->json, what);
	rs_json_key(&output->json, "consent");
	rs_json_text(&output->json, text);
	rs_json_key(&output->json, "entry");
	rs_json_u64(&output->json, index);
	rs_json_object_end(&output->json);
}

static enum rs_code print_entry(const struct command_line *line, const char *what,
                                const struct rs_digest *name, uint64_t index, struct rs_error *err)
{
	struct output output RS_CLEANUP(output_finish) = {.as_json = false};
	output_begin(&output, line);
	add_entry(&output, what, name, index);
	return output_end(&output, err);
}

/* A node to write in, and who signs. */
struct signing {
	struct rs_node *node;
	struct rs_actor *actor;
};

static void signing_close(struct signing *signing)
{
	rs_actor_close(signing->actor);
	rs_node_close(signing->node);
}

static enum rs_code signing_open(const struct command_line *line, struct signing *out, struct rs_error *err)
{
	RS_TRY(session_node(line, RS_NODE_WRITE, NULL, &out->node, err));
	return session_actor(line, out->node, &out->actor, err);
}

static enum rs_code one_operand(const struct command_line *line, const char *what, struct rs_error *err)
{
	return line->operand_count == 2
	               ? RS_OK
	               : rs_error_set(err, RS_USAGE, "consent %s: name one %s", line->operands[0], what);
}

/* A token may hold a key: nobody else reads it. */
static enum rs_code keep_token(const struct command_line *line, const struct rs_buffer *token,
                               struct rs_error *err)
{
	const char *path = option_value(line, "output");
	return path ? rs_file_replace(rs_world_system(), path, rs_buffer_bytes(token), 0600, err) : RS_OK;
}

static enum rs_code give(const struct signing *signing, const struct rs_digest *subject,
                         const struct rs_consent_terms *terms, const struct command_line *line,
                         struct output *output, struct rs_error *err)
{
	struct rs_buffer token RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_digest name;
	uint64_t index;
	rs_buffer_init(&token, RS_CONSENT_TOKEN_SIZE_MAX);
	RS_TRY(rs_node_consent_grant(signing->node, signing->actor, subject, terms, &token, &name, &index,
	                             err));
	if (keep_token(line, &token, err) != RS_OK) {
		char text[2 * RS_SHA256_SIZE + 1];
		rs_hex_encode(rs_bytes_of(name.bytes, RS_SHA256_SIZE), text);
		return rs_error_context(err, "consent %s is on the ledger, its token was not written", text);
	}
	add_entry(output, terms->effect == RS_CONSENT_DENY ? "denied" : "granted", &name, index);
	return RS_OK;
}

/* A token for whoever brings it onto the ledger: the node is only looked at. */
static enum rs_code issue(const struct command_line *line, struct rs_error *err)
{
	struct signing signing RS_CLEANUP(signing_close) = {NULL, NULL};
	struct rs_buffer token RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_node_subject subject;
	struct rs_consent_terms terms;
	struct rs_digest name;
	bool is_patient;
	if (!option_given(line, "output"))
		return rs_error_set(err, RS_USAGE, "consent grant --offline needs --output FILE");
	RS_TRY(session_node(line, RS_NODE_READ, NULL, &signing.node, err));
	RS_TRY(session_actor(line, signing.node, &signing.actor, err));
	RS_TRY(consent_subject(line, signing.node, &subject, &is_patient, err));
	RS_TRY(consent_terms_of(line, signing.node, is_patient ? &subject : NULL, &terms, err));
	rs_buffer_init(&token, RS_CONSENT_TOKEN_SIZE_MAX);
	RS_TRY(rs_node_consent_issue(signing.node, signing.actor, &subject.token, &terms, &token, &name,
	                             err));
	return keep_token(line, &token, err);
}

static enum rs_code run_grant(const struct command_line *line, struct rs_error *err)
{
	struct signing signing RS_CLEANUP(signing_close) = {NULL, NULL};
	struct output output RS_CLEANUP(output_finish) = {.as_json = false};
	struct rs_node_subject subject;
	struct rs_consent_terms terms;
	bool is_patient;
	if (line->operand_count != 1)
		return rs_error_set(err, RS_USAGE, "consent grant takes no operand, but --subject and terms");
	if (option_given(line, "offline"))
		return issue(line, err);
	RS_TRY(signing_open(line, &signing, err));
	RS_TRY(consent_subject(line, signing.node, &subject, &is_patient, err));
	RS_TRY(consent_terms_of(line, signing.node, is_patient ? &subject : NULL, &terms, err));
	output_begin(&output, line);
	RS_TRY(give(&signing, &subject.token, &terms, line, &output, err));
	return output_end(&output, err);
}

/* Without a node: a block more, or the seal. */
static enum rs_code narrow_token(const struct command_line *line, const struct consent_named *named,
                                 struct rs_error *err)
{
	struct rs_buffer token RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_buffer sealed RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_consent_terms terms;
	bool seals = option_given(line, "seal"), narrows;
	RS_TRY(consent_terms_of(line, NULL, NULL, &terms, err));
	narrows = terms.organisation_size || terms.roles || terms.purposes || terms.operations ||
	          terms.from_ms || terms.until_ms || terms.studies_size || !seals;
	rs_buffer_init(&token, RS_CONSENT_TOKEN_SIZE_MAX);
	rs_buffer_init(&sealed, RS_CONSENT_TOKEN_SIZE_MAX);
	if (narrows)
		RS_TRY(rs_consent_token_narrow(rs_world_system(), rs_buffer_bytes(&named->file), &terms,
		                               &token, err));
	if (seals)
		RS_TRY(rs_consent_token_seal(rs_buffer_bytes(narrows ? &token : &named->file), &sealed, err));
	if (option_given(line, "output"))
		return keep_token(line, seals ? &sealed : &token, err);
	return session_write(NULL, rs_buffer_bytes(seals ? &sealed : &token), err);
}

static enum rs_code narrow_on_ledger(const struct command_line *line, struct rs_error *err)
{
	struct signing signing RS_CLEANUP(signing_close) = {NULL, NULL};
	struct rs_consent_facts consent;
	struct rs_node_subject subject;
	struct rs_consent_terms terms;
	uint64_t index;
	bool is_patient = false;
	RS_TRY(signing_open(line, &signing, err));
	RS_TRY(rs_node_consent_find(signing.node, rs_str_from(line->operands[1]), &consent, err));
	if (option_given(line, "subject"))
		RS_TRY(consent_subject(line, signing.node, &subject, &is_patient, err));
	RS_TRY(consent_terms_of(line, signing.node, is_patient ? &subject : NULL, &terms, err));
	RS_TRY(rs_node_consent_narrow(signing.node, signing.actor, &consent, &terms, &index, err));
	return print_entry(line, "narrowed", &consent.name, index, err);
}

static enum rs_code run_narrow(const struct command_line *line, struct rs_error *err)
{
	struct consent_named named RS_CLEANUP(consent_named_finish) = {.file = {0}};
	RS_TRY(one_operand(line, "token's file, or consent of the ledger", err));
	enum rs_code code = consent_token_read(line->operands[1], &named, err);
	if (code != RS_NOT_FOUND)
		return code == RS_OK ? narrow_token(line, &named, err) : code;
	return narrow_on_ledger(line, err);
}

static enum rs_code run_revoke(const struct command_line *line, struct rs_error *err)
{
	struct signing signing RS_CLEANUP(signing_close) = {NULL, NULL};
	struct consent_named named RS_CLEANUP(consent_named_finish) = {.file = {0}};
	uint64_t index;
	RS_TRY(one_operand(line, "consent of the ledger, or token's file", err));
	RS_TRY(signing_open(line, &signing, err));
	RS_TRY(consent_named_find(line, line->operands[1], &signing.node, &named, err));
	RS_TRY(rs_node_consent_revoke(signing.node, signing.actor, &named.facts, &index, err));
	return print_entry(line, "revoked", &named.facts.name, index, err);
}

static enum rs_code list_one(void *visitor, const struct rs_consent_facts *consent, struct rs_error *err)
{
	struct output *output = visitor;
	char name[2 * RS_SHA256_SIZE + 1];
	if (output->only_revoked && !consent->revoked)
		return RS_OK;
	rs_hex_encode(rs_bytes_of(consent->name.bytes, RS_SHA256_SIZE), name);
	if (output->as_json)
		consent_facts_json(&output->json, consent);
	else if (output->only_revoked)
		rs_buffer_printf(&output->text, "%s\n", name);
	else
		consent_facts_text(&output->text, consent);
	return rs_buffer_check(&output->text, "the list", err);
}

static enum rs_code run_list(const struct command_line *line, struct rs_error *err)
{
	struct rs_node *node RS_CLEANUP(session_node_close) = NULL;
	struct output output RS_CLEANUP(output_finish) = {.as_json = false};
	struct rs_node_subject subject;
	bool is_patient, of_one = option_given(line, "subject");
	if (line->operand_count != 1)
		return rs_error_set(err, RS_USAGE, "consent list takes no operand");
	RS_TRY(session_node(line, RS_NODE_READ, NULL, &node, err));
	if (of_one)
		RS_TRY(consent_subject(line, node, &subject, &is_patient, err));
	const struct rs_state state = rs_node_state(node);
	output_begin(&output, line);
	if (output.as_json)
		rs_json_array_begin(&output.json);
	RS_TRY(rs_contract_consents(&state, of_one ? &subject.token : NULL, list_one, &output, err));
	if (output.as_json)
		rs_json_array_end(&output.json);
	return output_end(&output, err);
}

/* Each rule becomes a consent of its own. */
static enum rs_code import_fhir(const struct command_line *line, struct rs_bytes json, struct rs_error *err)
{
	struct signing signing RS_CLEANUP(signing_close) = {NULL, NULL};
	struct output output RS_CLEANUP(output_finish) = {.as_json = false};
	struct rs_buffer notes RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_fhir_context context = {NULL, rs_str_from(option_value(line, "organisation")),
	                                  rs_str_from(option_value(line, "policy"))};
	struct rs_fhir_consent consent;
	struct rs_node_subject subject;
	bool is_patient;
	RS_TRY(signing_open(line, &signing, err));
	if (option_given(line, "subject")) {
		RS_TRY(consent_subject(line, signing.node, &subject, &is_patient, err));
		context.subject = &subject.token;
	}
	rs_buffer_init(&notes, RS_FHIR_SIZE_MAX);
	RS_TRY(rs_fhir_consent_read(json, &context, &consent, &notes, err));
	if (consent.count > 1 && option_given(line, "output"))
		return rs_error_set(err, RS_USAGE,
		                    "--output: it has %zu rules, each a consent of its own; import "
		                    "it without, then narrow or export by name",
		                    consent.count);
	if (!option_given(line, "quiet"))
		fprintf(stderr, RS_STR_FORMAT, RS_STR_ARGUMENTS(rs_buffer_str(&notes)));
	output_begin(&output, line);
	if (output.as_json)
		rs_json_array_begin(&output.json);
	/* Denials first: at no time is more permitted than the document says. */
	for (unsigned effect = RS_CONSENT_DENY; effect >= RS_CONSENT_PERMIT; effect--)
		for (size_t i = 0; i < consent.count; i++)
			if (consent.rules[i].effect == effect)
				RS_TRY(give(&signing, &consent.subject, &consent.rules[i], line, &output,
				            err));
	if (output.as_json)
		rs_json_array_end(&output.json);
	return output_end(&output, err);
}

static enum rs_code import_token(const struct command_line *line, const struct rs_consent_token *token,
                                 struct rs_error *err)
{
	struct signing signing RS_CLEANUP(signing_close) = {NULL, NULL};
	uint64_t index;
	RS_TRY(signing_open(line, &signing, err));
	RS_TRY(rs_node_consent_record(signing.node, signing.actor, token, &index, err));
	return print_entry(line, "recorded", rs_consent_token_name(token), index, err);
}

static enum rs_code run_import(const struct command_line *line, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_secret_buffer_finish) = {0};
	struct rs_consent_token token;
	RS_TRY(one_operand(line, "token's file or FHIR Consent (JSON)", err));
	RS_TRY(rs_file_read_all(rs_world_system(), line->operands[1], RS_FHIR_SIZE_MAX, &file, err));
	/* A token is a map of CBOR, whose first byte is no character of a JSON text. */
	if (file.size == 0 || file.data[0] < 0x80)
		return import_fhir(line, rs_buffer_bytes(&file), err);
	RS_TRY(rs_consent_token_open(rs_buffer_bytes(&file), &token, err));
	return import_token(line, &token, err);
}

#define TERMS "organisation roles purposes operations studies from until "
#define SIGN "as as-passphrase-file "
static const struct {
	const char *name;
	enum rs_code (*run)(const struct command_line *line, struct rs_error *err);
	const char *options; /* each with a blank after it */
} actions[] = {
	{"grant", run_grant, "subject issuer output deny offline " TERMS SIGN},
	{"narrow", run_narrow, "subject issuer output seal " TERMS SIGN},
	{"revoke", run_revoke, SIGN},
	{"list", run_list, "subject issuer revoked "},
	{"show", consent_show, ""},
	{"verify", consent_verify,
         "organisation offline key revocations proof log witnesses quorum max-age role purpose operation study time skew "},
	{"export", consent_export, "subject issuer studies format output "},
	{"import", run_import, "subject issuer organisation policy output " SIGN},
};

static bool is_among(const char *list, const char *name)
{
	struct rs_str rest = rs_str_from(list), one;
	while (rs_str_split(&rest, ' ', &one))
		if (rs_str_equal_text(one, name))
			return true;
	return false;
}

/* An option that changes nothing here would be passed over in silence. */
static enum rs_code check_options(const struct command_line *line, size_t action, struct rs_error *err)
{
	for (const struct option *option = line->command->options; option->name; option++)
		if (option_given(line, option->name) && !is_among(actions[action].options, option->name))
			return rs_error_set(err, RS_USAGE, "consent %s takes no --%s", actions[action].name,
			                    option->name);
	return RS_OK;
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	for (size_t i = 0; i < RS_COUNT(actions); i++) {
		if (line->operand_count == 0 || strcmp(line->operands[0], actions[i].name) != 0)
			continue;
		RS_TRY(check_options(line, i, err));
		return actions[i].run(line, err);
	}
	return rs_error_set(err, RS_USAGE,
	                    "consent: name what to do: grant, narrow, revoke, list, show, verify, export or "
	                    "import");
}

static const struct option options[] = {
	{"subject", "PATIENT", "whose data; or 64 hexadecimal digits, as the ledger names the subject"},
	{"issuer", "TEXT", "IssuerOfPatientID of --subject"},
	{"organisation", "NAME", "to whom it is given; a denial without it is one for everybody"},
	{"roles", "LIST", "terms: roles with commas, or all"},
	{"purposes", "LIST", "terms: treatment, research, operations, emergency, or all"},
	{"operations", "LIST", "terms: read, extract, train, predict, export, or all"},
	{"studies", "LIST", "terms: StudyInstanceUIDs of the subject, or commitments; otherwise all studies"},
	{"from", "TIME", "terms: 2026-01-31 or 2026-01-31T10:00:00Z; otherwise from ever"},
	{"until", "TIME", "terms: to the end of that day or second; otherwise without end"},
	{"deny", NULL, "grant: a denial, which overrides whatever permits"},
	{"seal", NULL, "narrow: nobody can narrow the token further"},
	{"output", "FILE", "write the token or document to FILE (a token: readable by its owner only)"},
	{"revoked", NULL, "list: only the names of those revoked, one a line"},
	{"offline", NULL,
         "verify: without a node, with the keys given; grant: only a token, for others to import"},
	{"key", "KEY",
         "verify --offline: a key whose consents count for the subject (hexadecimal); repeatable"},
	{"revocations", "FILE", "verify: names of revoked consents or ids of blocks, one a line"},
	{"proof", "FILE",
         "verify: what radseal prove consents (or consent) wrote; the consent must be in force there"},
	{"log", "KEY", "verify: the verifier key of the log that --proof is of, or a file with it"},
	{"witnesses", "FILE",
         "verify: verifier keys, one a line, of whom --quorum must have cosigned the proof"},
	{"quorum", "N", "verify: so many of --witnesses; otherwise all"},
	{"max-age", "SECONDS", "verify: the proof may be so old; otherwise of any age"},
	{"role", "ROLE", "verify: who asks"},
	{"purpose", "PURPOSE", "verify: why"},
	{"operation", "OPERATION", "verify: what for"},
	{"study", "COMMITMENT", "verify: of which study"},
	{"time", "TIME", "verify: when; otherwise now"},
	{"skew", "SECONDS",
         "verify: the clock may be wrong by so much; what is permitted must hold all that time"},
	{"format", "NAME", "export: fhir-r4, fhir-r5 or ts27560"},
	{"policy", "URI", "import: a policy outside of the document that changes nothing in it"},
	SESSION_AS_OPTIONS,
	{NULL, NULL, NULL},
};

static const struct alias aliases[] = {{"-o", "output"}, {NULL, NULL}};

static const struct example examples[] = {
	{"radseal consent grant --subject P1 --organisation Research --roles researcher --purposes research "
         "--operations read,extract --until 2027-12-31 -o p1.consent",
         "permit a use on the ledger, with a token that shows it elsewhere"},
	{"radseal consent narrow p1.consent --operations read -o read.consent",
         "hand on less, without node or network"},
	{"radseal consent verify read.consent --offline --key KEY --organisation Research --role researcher "
         "--purpose research --operation read",
         "permitted or refused, by files alone"},
	{"radseal consent revoke 3fa9c1d2", "by the first digits of its name; effective with the entry"},
	{"radseal consent export 3fa9c1d2 --format fhir-r5 -o consent.json", "as a FHIR resource"},
	{NULL, NULL},
};

const struct command command_consent = {
	.name = "consent",
	.arguments = "grant|narrow|revoke|list|show|verify|export|import [NAME|FILE]… [--home DIR]",
	.summary = "give, narrow, withdraw, show and check consents",
	.description =
		"A consent permits (or denies) an organisation's roles some operations for some purposes, for a\n"
		"time, on all or some studies of a subject. It is given by an administrator of the subject's\n"
		"custodian, or with --as by the patient's or guardian's key. grant writes it to the ledger and,\n"
		"with -o, a token: whoever holds that can narrow it without a node and hand it on; --seal ends\n"
		"that. Who holds a token that is not sealed holds a key: keep it as one. verify checks tokens\n"
		"(denials among them override) against the ledger, or --offline against --key; with --role,\n"
		"--purpose, --operation and --organisation it answers, and ends with 3 when it refuses. export\n"
		"writes FHIR or a consent record of ISO/IEC TS 27560 (with --subject and --studies the patient's\n"
		"receipt, which opens the studies' commitments: give it to nobody else). import takes a token or a\n"
		"FHIR Consent; what radseal's terms cannot express is refused by name.",
	.options = options,
	.examples = examples,
	.aliases = aliases,
	.repeatable = "key",
	.run = run,
};
