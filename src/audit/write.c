/* The writer: CSV and JSON here, text and FHIR in their own files. */
#include <inttypes.h>
#include <string.h>

#include "base/base_csv.h"
#include "write.h"

#define OUTPUT_MAX ((size_t)1 << 20) /* of one line: 64 parents in four formats take 20 KiB */

const char *const proved_text =
	"Each line is an entry of the log under this checkpoint: its signature fits, its place is proved, and the contract, "
	"applied again in the state that the entries before it lead to, answers as told; what it read there equals the "
	"stored state.";
const char *const not_proved_text =
	"That no line is missing rests on this node's replay of all entries (anew with --replay; radseal fsck checks it); who "
	"does not believe the node replays the log. Transactions that the contract refused, other than access requests, are "
	"no entries, and what happens outside of radseal is not in the log.";

bool rs_audit_format_from_name(struct rs_str name, enum rs_audit_format *out)
{
	static const char *const names[] = {"text", "csv", "json", "fhir"};
	for (size_t i = 0; i < RS_COUNT(names); i++)
		if (rs_str_equal_text(name, names[i])) {
			*out = (enum rs_audit_format)i;
			return true;
		}
	return false;
}

/* What a spreadsheet would take for a formula begins with an apostrophe (OWASP, CSV injection). */
static void csv_cell(struct rs_buffer *out, const char *text)
{
	char *safe RS_CLEANUP(rs_free_pointer) = NULL;
	if (*text == '\0' || !strchr("=+-@\t\r", *text)) {
		rs_csv_append(out, text);
		return;
	}
	safe = rs_text_printf("'%s", text);
	if (safe)
		rs_csv_append(out, safe);
	else
		out->failed = RS_NO_MEMORY;
}

static void root_text(const struct rs_audit_heading *heading, char out[static RS_BASE64_SIZE(RS_SHA256_SIZE)])
{
	rs_base64_encode(rs_bytes_of(heading->checkpoint.root.bytes, RS_SHA256_SIZE), out);
}

static void csv_begin(struct rs_audit_writer *writer)
{
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		rs_buffer_append_text(&writer->out, column_name((enum column)i));
		rs_buffer_append_text(&writer->out, ",");
	}
	rs_buffer_append_text(&writer->out, "log,tree_size,tree_root\r\n");
}

static void csv_line(struct rs_audit_writer *writer)
{
	const struct rs_audit_heading *heading = writer->heading;
	char root[RS_BASE64_SIZE(RS_SHA256_SIZE)];
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		csv_cell(&writer->out, cells_get(&writer->cells, (enum column)i));
		rs_buffer_append_text(&writer->out, ",");
	}
	root_text(heading, root);
	csv_cell(&writer->out, heading->checkpoint.origin);
	rs_buffer_printf(&writer->out, ",%" PRIu64 ",", heading->checkpoint.size);
	csv_cell(&writer->out, root);
	rs_buffer_append_text(&writer->out, "\r\n");
}

static void json_begin(struct rs_audit_writer *writer)
{
	const struct rs_audit_heading *heading = writer->heading;
	struct rs_json *json = &writer->json;
	char root[RS_BASE64_SIZE(RS_SHA256_SIZE)], time[RS_TIME_TEXT_SIZE];
	root_text(heading, root);
	rs_format_time_ms(heading->asked_ms, time);
	rs_json_object_begin(json);
	rs_json_key(json, "question");
	rs_json_text(json, heading->question);
	rs_json_key(json, "asked");
	rs_json_text(json, time);
	if (heading->request != RS_AUDIT_NO_ENTRY) {
		rs_json_key(json, "request");
		rs_json_u64(json, heading->request);
	}
	rs_json_key(json, "log");
	rs_json_text(json, heading->checkpoint.origin);
	rs_json_key(json, "tree_size");
	rs_json_u64(json, heading->checkpoint.size);
	rs_json_key(json, "tree_root");
	rs_json_text(json, root);
	rs_json_key(json, "checkpoint");
	rs_json_str(json, heading->note);
	rs_json_key(json, "lines");
	rs_json_array_begin(json);
}

static void json_line(struct rs_audit_writer *writer)
{
	struct rs_json *json = &writer->json;
	uint64_t number;
	rs_json_object_begin(json);
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		const char *text = cells_get(&writer->cells, (enum column)i);
		if (*text == '\0')
			continue;
		rs_json_key(json, column_name((enum column)i));
		if (column_is_number((enum column)i) && rs_parse_u64(rs_str_from(text), &number))
			rs_json_u64(json, number);
		else
			rs_json_text(json, text);
	}
	rs_json_object_end(json);
}

static void json_end(struct rs_audit_writer *writer)
{
	struct rs_json *json = &writer->json;
	rs_json_array_end(json);
	rs_json_key(json, "proved");
	rs_json_text(json, proved_text);
	rs_json_key(json, "not_proved");
	rs_json_text(json, not_proved_text);
	rs_json_object_end(json);
	rs_buffer_append_text(&writer->out, "\n");
}

static enum rs_code flush(struct rs_audit_writer *writer, struct rs_error *err)
{
	RS_TRY(rs_buffer_check(&writer->out, "a line of an audit", err));
	enum rs_code code = writer->sink(writer->context, rs_buffer_bytes(&writer->out), err);
	rs_buffer_clear(&writer->out);
	return code;
}

void rs_audit_writer_destroy(struct rs_audit_writer *writer)
{
	if (!writer)
		return;
	rs_buffer_finish(&writer->out);
	rs_buffer_finish(&writer->cells.text);
	rs_free(writer);
}

void rs_audit_writer_destroy_pointer(struct rs_audit_writer **writer) { rs_audit_writer_destroy(*writer); }

static void begin(struct rs_audit_writer *writer)
{
	switch (writer->format) {
	case RS_AUDIT_TEXT: text_begin(writer); break;
	case RS_AUDIT_CSV: csv_begin(writer); break;
	case RS_AUDIT_JSON: json_begin(writer); break;
	case RS_AUDIT_FHIR: fhir_begin(writer); break;
	}
}

enum rs_code rs_audit_writer_create(const struct rs_audit_heading *heading, enum rs_audit_format format,
                                    rs_audit_sink *sink, void *context, struct rs_audit_writer **out,
                                    struct rs_error *err)
{
	struct rs_audit_writer *writer = rs_allocate(sizeof *writer);
	if (!writer)
		return rs_error_memory(err, sizeof *writer, "an audit's output");
	*writer = (struct rs_audit_writer){
		.heading = heading, .format = format, .sink = sink, .context = context};
	rs_buffer_init(&writer->out, OUTPUT_MAX);
	rs_buffer_init(&writer->cells.text, CELLS_MAX);
	rs_json_init(&writer->json, &writer->out, true);
	begin(writer);
	enum rs_code code = flush(writer, err);
	if (code != RS_OK) {
		rs_audit_writer_destroy(writer);
		return code;
	}
	*out = writer;
	return RS_OK;
}

enum rs_code rs_audit_writer_line(struct rs_audit_writer *writer, const struct rs_audit_line *line,
                                  struct rs_error *err)
{
	cells_fill(&writer->cells, writer->heading, line);
	/* Otherwise the last cell has no end. */
	RS_TRY(rs_buffer_check(&writer->cells.text, "a line of an audit", err));
	writer->lines++;
	switch (writer->format) {
	case RS_AUDIT_TEXT: text_line(writer, line); break;
	case RS_AUDIT_CSV: csv_line(writer); break;
	case RS_AUDIT_JSON: json_line(writer); break;
	case RS_AUDIT_FHIR: fhir_line(writer, line); break;
	}
	return flush(writer, err);
}

enum rs_code rs_audit_writer_end(struct rs_audit_writer *writer, struct rs_error *err)
{
	switch (writer->format) {
	case RS_AUDIT_TEXT: text_end(writer); break;
	case RS_AUDIT_CSV: break;
	case RS_AUDIT_JSON: json_end(writer); break;
	case RS_AUDIT_FHIR: fhir_end(writer); break;
	}
	return flush(writer, err);
}
