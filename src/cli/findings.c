#include "findings.h"

#include <math.h>

void finding_print(struct rs_buffer *out, const struct rs_finding *finding)
{
	rs_buffer_printf(out, "%-24s %-28s", *finding->of ? finding->of : "-", finding->name);
	if (isnan(finding->value))
		rs_buffer_printf(out, " %11s", "-");
	else
		rs_buffer_printf(out, " %11.6g", finding->value);
	if (!isnan(finding->lower))
		rs_buffer_printf(out, "  [%.6g, %.6g]", finding->lower, finding->upper);
	if (!isnan(finding->p))
		rs_buffer_printf(out, "  p = %.3g", finding->p);
	rs_buffer_append_text(out, "\n");
}

void finding_json(struct rs_json *json, const struct rs_finding *finding)
{
	rs_json_object_begin(json);
	rs_json_key(json, "of");
	rs_json_text(json, finding->of);
	rs_json_key(json, "name");
	rs_json_text(json, finding->name);
	rs_json_key(json, "value");
	rs_json_f64(json, finding->value);
	if (!isnan(finding->lower)) {
		rs_json_key(json, "interval");
		rs_json_array_begin(json);
		rs_json_f64(json, finding->lower);
		rs_json_f64(json, finding->upper);
		rs_json_array_end(json);
	}
	if (!isnan(finding->p)) {
		rs_json_key(json, "p");
		rs_json_f64(json, finding->p);
	}
	rs_json_object_end(json);
}

#define FINDINGS_SIZE_MAX ((size_t)256 << 20)

void findings_begin(struct findings *findings, bool as_json)
{
	*findings = (struct findings){.as_json = as_json};
	rs_buffer_init(&findings->text, FINDINGS_SIZE_MAX);
	rs_json_init(&findings->json, &findings->text, true);
	if (as_json)
		rs_json_array_begin(&findings->json);
}

void findings_visit(void *context, const struct rs_finding *finding)
{
	struct findings *findings = context;
	if (findings->as_json)
		finding_json(&findings->json, finding);
	else
		finding_print(&findings->text, finding);
}

enum rs_code findings_end(struct findings *findings, struct rs_error *err)
{
	if (findings->as_json) {
		rs_json_array_end(&findings->json);
		rs_buffer_append_text(&findings->text, "\n");
	}
	return rs_buffer_check(&findings->text, "the result", err);
}

void findings_finish(struct findings *findings) { rs_buffer_finish(&findings->text); }
