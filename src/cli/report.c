/* Rows of named values as text and as JSON. */
#include "report.h"

#include "session.h"

#define REPORT_SIZE_MAX ((size_t)1 << 30)

void report_begin(struct report *report, const struct command_line *line, bool is_list)
{
	report->as_json = option_given(line, "json");
	report->is_list = is_list;
	rs_buffer_init(&report->text, REPORT_SIZE_MAX);
	rs_json_init(&report->json, &report->text, true);
	if (report->as_json && is_list)
		rs_json_array_begin(&report->json);
}

static void row_text(struct rs_buffer *out, const struct field *fields, size_t count)
{
	const char *space = "";
	for (size_t i = 0; i < count; i++) {
		const char *value = fields[i].value && *fields[i].value ? fields[i].value : "-";
		if (fields[i].width == 0)
			continue;
		rs_buffer_printf(out, "%s%-*s", space, i + 1 < count ? fields[i].width : 0, value);
		space = "  ";
	}
	rs_buffer_append_text(out, "\n");
}

void report_row(struct report *report, const struct field *fields, size_t count)
{
	if (!report->as_json) {
		row_text(&report->text, fields, count);
		return;
	}
	rs_json_object_begin(&report->json);
	for (size_t i = 0; i < count; i++) {
		if (!fields[i].key)
			continue;
		bool is_number = fields[i].key[0] == '#';
		rs_json_key(&report->json, fields[i].key + is_number);
		uint64_t number = 0;
		double real = 0;
		bool has_value = fields[i].value && *fields[i].value;
		if (has_value && is_number && rs_parse_u64(rs_str_from(fields[i].value), &number))
			rs_json_u64(&report->json, number);
		else if (has_value && is_number && rs_parse_f64(rs_str_from(fields[i].value), &real))
			rs_json_f64(&report->json, real);
		else if (has_value)
			rs_json_text(&report->json, fields[i].value);
		else
			rs_json_null(&report->json);
	}
	rs_json_object_end(&report->json);
}

enum rs_code report_end(struct report *report, struct rs_error *err)
{
	if (report->as_json && report->is_list)
		rs_json_array_end(&report->json);
	if (report->as_json)
		rs_buffer_append_text(&report->text, "\n");
	RS_TRY(rs_buffer_check(&report->text, "the result", err));
	return session_write(NULL, rs_buffer_bytes(&report->text), err);
}

void report_finish(struct report *report) { rs_buffer_finish(&report->text); }
