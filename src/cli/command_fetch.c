/* radseal fetch: studies from an archive into the node. */
#include <stdio.h>

#include "dicom_words.h"
#include "gateway/gateway_fetch.h"
#include "session.h"

#define MEMORY_MAX ((size_t)64 << 20)
#define OUTPUT_MAX ((size_t)1 << 28)
#define DEFAULT_LIMIT 1000
#define LIMIT_MAX 1000000
#define COLUMNS_MAX (REPEATS_MAX + 8)

struct output {
	struct rs_buffer text;
	struct rs_json json;
	bool as_json, quiet;
	size_t sealed, known, refused, missing;
};

static void report_json(struct rs_json *json, const struct rs_dicom_fetched *fetched)
{
	const struct {
		const char *name;
		size_t value;
	} numbers[] = {{"there", fetched->there},
	               {"sealed", fetched->sealed},
	               {"known", fetched->known},
	               {"refused", fetched->refused},
	               {"missing", fetched->missing}};
	rs_json_object_begin(json);
	rs_json_key(json, "study");
	rs_json_text(json, fetched->study);
	rs_json_key(json, "series");
	rs_json_text(json, fetched->series);
	for (size_t i = 0; i < RS_COUNT(numbers); i++) {
		rs_json_key(json, numbers[i].name);
		rs_json_u64(json, numbers[i].value);
	}
	rs_json_key(json, "reason");
	rs_json_text(json, fetched->code == RS_OK ? "" : fetched->error->message);
	rs_json_object_end(json);
}

static void report(void *context, const struct rs_dicom_fetched *fetched)
{
	struct output *output = context;
	output->sealed += fetched->sealed;
	output->known += fetched->known;
	output->refused += fetched->refused;
	output->missing += fetched->missing;
	if (output->as_json)
		report_json(&output->json, fetched);
	else if (fetched->code != RS_OK)
		fprintf(stderr, "radseal: %s\n", fetched->error->message);
	else if (!output->quiet)
		printf("%s%s%s: %zu sealed, %zu known\n", fetched->study, fetched->series[0] ? " " : "",
		       fetched->series, fetched->sealed, fetched->known);
}

static enum rs_code read_query(const struct command_line *line, struct rs_dicom_query *out,
                               struct rs_error *err)
{
	const char *level = option_value(line, "level");
	uint64_t limit;
	RS_TRY(option_u64(line, "limit", DEFAULT_LIMIT, LIMIT_MAX, &limit, err));
	if (line->operand_count != 1)
		return rs_error_set(err, RS_USAGE, "fetch takes HOST:PORT");
	if (line->repeat_count == 0 || limit == 0)
		return rs_error_set(err, RS_USAGE,
		                    "fetch: say what: -k PatientID=P17 -k StudyDate=20260101-");
	*out = (struct rs_dicom_query){.is_patient_root = option_given(line, "patient-root"),
	                               .level = level ? level : "study",
	                               .keys = line->repeats,
	                               .key_count = line->repeat_count,
	                               .matches_max = limit};
	return RS_OK;
}

/* What is asked for with values is shown, and what people look for. */
static enum rs_code list(const struct command_line *line, const struct rs_dicom_peer *peer,
                         const struct rs_dicom_query *wanted, struct rs_error *err)
{
	static const char *const more[] = {"PatientID", "StudyDate", "StudyDescription", "StudyInstanceUID"};
	static const char *const series[] = {"Modality", "SeriesDescription", "SeriesInstanceUID"};
	struct matches matches RS_CLEANUP(matches_finish) = {.key_count = 0};
	const bool of_series = rs_str_equal_text(rs_str_from(wanted->level), "series");
	const char *columns[COLUMNS_MAX];
	struct rs_dicom_query query = *wanted;
	query.key_count = 0;
	for (size_t i = 0; i < wanted->key_count; i++)
		columns[query.key_count++] = wanted->keys[i];
	for (size_t i = 0; i < RS_COUNT(more) + (of_series ? RS_COUNT(series) : 0); i++) {
		const char *column = i < RS_COUNT(more) ? more[i] : series[i - RS_COUNT(more)];
		bool given = false;
		for (size_t k = 0; k < wanted->key_count; k++) {
			struct rs_str rest = rs_str_from(wanted->keys[k]), keyword;
			rs_str_split(&rest, '=', &keyword);
			given = given || rs_str_equal_text(keyword, column);
		}
		if (!given)
			columns[query.key_count++] = column;
	}
	query.keys = columns;
	matches_begin(&matches, option_given(line, "json"), columns, query.key_count);
	RS_TRY(rs_dicom_peer_find(peer, &query, matches_take, &matches, err));
	return matches_print(&matches, err);
}

/* What a server of ours seals is for it to tell: the archive says what it sent there. */
static enum rs_code move(const struct command_line *line, const struct rs_dicom_peer *peer,
                         const struct rs_dicom_query *query, struct rs_error *err)
{
	struct rs_dicom_moved moved;
	enum rs_code code = rs_dicom_peer_move(peer, query, option_value(line, "to"), &moved, err);
	if (option_given(line, "json"))
		printf("{\"completed\": %u, \"failed\": %u, \"warned\": %u}\n", moved.completed, moved.failed,
		       moved.warned);
	else if (!option_given(line, "quiet"))
		printf("%u sent to %s, %u failed, %u with warnings\n", moved.completed,
		       option_value(line, "to"), moved.failed, moved.warned);
	return code;
}

static enum rs_code fetch(const struct command_line *line, struct rs_intake *intake,
                          struct rs_dicom_fetch *fetch_, struct rs_error *err)
{
	struct output output = {.as_json = option_given(line, "json"), .quiet = option_given(line, "quiet")};
	rs_buffer_init(&output.text, OUTPUT_MAX);
	rs_json_init(&output.json, &output.text, true);
	rs_json_array_begin(&output.json);
	fetch_->report = report;
	fetch_->context = &output;
	enum rs_code code = rs_dicom_peer_fetch(intake, fetch_, err);
	rs_json_array_end(&output.json);
	rs_buffer_append_text(&output.text, "\n");
	if (output.as_json && session_write(NULL, rs_buffer_bytes(&output.text), NULL) != RS_OK &&
	    code == RS_OK)
		code = rs_error_set(err, RS_IO, "standard output");
	if (!output.quiet)
		fprintf(stderr, "%zu sealed, %zu known, %zu refused, %zu missing\n", output.sealed,
		        output.known, output.refused, output.missing);
	rs_buffer_finish(&output.text);
	return code;
}

static enum rs_code run(const struct command_line *line, struct rs_error *err)
{
	struct rs_pool *pool RS_CLEANUP(session_pool_destroy) = NULL;
	struct rs_node *node RS_CLEANUP(session_node_close) = NULL;
	struct rs_actor *actor RS_CLEANUP(rs_actor_close_pointer) = NULL;
	struct rs_dicom_peer peer;
	struct rs_dicom_fetch what = {.peer = &peer};
	struct rs_intake *intake;
	RS_TRY(read_query(line, &what.query, err));
	RS_TRY(dicom_peer(line, line->operands[0], &peer, err));
	if (option_given(line, "list"))
		return list(line, &peer, &what.query, err);
	if (option_given(line, "to"))
		return move(line, &peer, &what.query, err);
	RS_TRY(session_pool(line, 2, &pool, err));
	RS_TRY(session_node(line, RS_NODE_WRITE, pool, &node, err));
	RS_TRY(session_actor(line, node, &actor, err));
	RS_TRY(rs_intake_open(node, actor, MEMORY_MAX, &intake, err));
	enum rs_code code = fetch(line, intake, &what, err);
	enum rs_code ended = rs_intake_close(intake, code == RS_OK ? err : NULL);
	return code == RS_OK ? ended : code;
}

static const struct option options[] = {
	{"key", "KEY[=VALUE]", "what to fetch, by keyword, as dicom find has it; repeatable (also -k)"},
	{"list", NULL, "tell what matches there, and fetch nothing"},
	{"level", "LEVEL", "what matches: study (the default) or series"},
	{"patient-root", NULL, "ask by the patient root instead of the study root"},
	{"limit", "N", "of matches (default 1000)"},
	{"to", "TITLE",
         "by C-MOVE: the archive sends to this AE title, where radseal serve listens and seals"},
	DICOM_PEER_OPTIONS,
	SESSION_AS_OPTIONS,
	{NULL, NULL, NULL},
};

static const struct example examples[] = {
	{"radseal fetch pacs.example:104 --called PACS -k PatientID=P17 -k StudyDate=20260101- --list",
         "what is there?"},
	{"radseal fetch pacs.example:104 --called PACS -k PatientID=P17 -k StudyDate=20260101-",
         "into the node, sealed"},
	{"radseal fetch pacs.example:104 --called PACS -k StudyInstanceUID=1.2.3 -k Modality=MR --level series",
         "some series of a study"},
	{"radseal fetch pacs.example:104 --called PACS -k StudyInstanceUID=1.2.3 --to RADSEAL",
         "where the archive serves no C-GET: into the node that serves as RADSEAL"},
	{NULL, NULL},
};

static const struct alias aliases[] = {{"-k", "key"}, {NULL, NULL}};

const struct command command_fetch = {
	.name = "fetch",
	.arguments = "HOST:PORT -k KEY=VALUE… [--list] [--to TITLE] [--called TITLE] [--tls …] [--home DIR]",
	.summary = "get studies from a DICOM archive, and seal them",
	.description =
		"Asks the archive what matches the keys (C-FIND), and which instances that are; retrieves them within the\n"
		"same association (C-GET), each in the transfer syntax it is stored in as far as the archive does that, and\n"
		"seals them as radseal serve does: the archive's answer is given when bytes and ledger entry are durable.\n"
		"Ends with 4 when something that is listed did not come; run it again, what is here is known. Another\n"
		"process may serve or seal meanwhile. --list and --to need no node.",
	.options = options,
	.examples = examples,
	.aliases = aliases,
	.repeatable = "key",
	.run = run,
};
