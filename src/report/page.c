/* A report as a page of its own: nothing is fetched, nothing runs, and the policy in its head says so to the browser. It is
 * XML as well as HTML. */
#include <math.h>
#include <string.h>

#include "crypto/crypto.h"
#include "parts.h"

static const char page_style[] =
	"*{box-sizing:border-box}\n"
	"body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,-apple-system,\"Segoe UI\","
	"Roboto,\"Helvetica Neue\",Arial,\"Liberation Sans\",sans-serif}\n"
	"main{max-width:1120px;margin:0 auto;padding:24px 20px 64px}\n"
	"h1{font-size:1.7rem;line-height:1.2;margin:.2em 0}h2{font-size:1.2rem;margin:2.2em 0 .6em;padding-bottom:.25em;"
	"border-bottom:1px solid var(--grid)}\n"
	"p{max-width:75ch}.about,.note,figcaption{color:var(--muted)}.note{font-size:.88rem}\n"
	".verdict{border-left:5px solid var(--c1);padding:.7em 1em;margin:1.2em 0;font-size:1.12rem;"
	"background:color-mix(in srgb,var(--c1) 8%,transparent)}.verdict p{margin:0;max-width:none}\n"
	".warning,.synthetic{border-left:5px solid var(--c2);padding:.45em 1em;margin:.5em 0;"
	"background:color-mix(in srgb,var(--c2) 9%,transparent)}\n"
	".figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,330px),1fr));gap:28px 32px}\n"
	"figure{margin:0}figure.rows,figure.wide{grid-column:1/-1;max-width:760px}figure.square{max-width:540px}\n"
	"figure.rows,figure.wide{overflow-x:auto}figure.rows .plot,figure.wide .plot{min-width:540px}\n"
	"figcaption{font-size:.85rem;line-height:1.4;margin-top:.4em}figure h3{font-size:1rem;margin:0 0 .5em}\n"
	".scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}\n"
	"th,td{text-align:left;vertical-align:top;padding:.3em 1.4em .3em 0;border-bottom:1px solid var(--grid)}\n"
	"th{font-weight:600}td.number{text-align:right;white-space:nowrap}th.number{text-align:right}\n"
	"td.none{color:var(--muted);font-style:italic}code{font-size:.85em;word-break:break-all}\n"
	".facts th{white-space:nowrap;width:14em}.facts td{word-break:break-word}\n"
	"details{margin:.7em 0}summary{cursor:pointer}details[open] summary{margin-bottom:.5em}\n"
	"@media (max-width:520px){.facts th{white-space:normal;width:9em}th,td{padding-right:.8em}}\n"
	"@media print{body{font-size:10.5pt}main{max-width:none;padding:0}figure,tr,.warning{break-inside:avoid}"
	"h2,h3,summary{break-after:avoid}.figures{grid-template-columns:1fr 1fr}"
	"figure.rows .plot,figure.wide .plot{min-width:0}details{display:block}"
	"details::details-content{content-visibility:visible}a{color:inherit}}\n";

/* The style is named by its digest, so that the page holds where inline styles are forbidden otherwise. */
enum rs_code rs_page_begin(struct rs_buffer *out, const char *title, bool pictures, struct rs_error *err)
{
	struct rs_buffer style RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_digest digest;
	char name[RS_BASE64_SIZE(RS_SHA256_SIZE)];
	rs_buffer_init(&style, 65536);
	rs_buffer_append_text(&style, "\n");
	rs_buffer_append_text(&style, rs_plot_style());
	rs_buffer_append_text(&style, page_style);
	RS_TRY(rs_buffer_check(&style, "the style", err));
	rs_sha256(rs_buffer_bytes(&style), &digest);
	rs_base64_encode(rs_bytes_of(digest.bytes, sizeof digest.bytes), name);
	rs_plot_write(
		out,
		"<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n"
		"<meta charset=\"utf-8\"/>\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
		"'none'; style-src 'sha256-%E'%E\"/>\n<meta name=\"viewport\" "
		"content=\"width=device-width,initial-scale=1\"/>\n<title>%E</title>\n<style>",
		name, pictures ? "; img-src data:" : "", title);
	rs_buffer_append_bytes(out, rs_buffer_bytes(&style));
	rs_plot_write(out, "</style>\n</head>\n<body>\n<main>\n");
	return RS_OK;
}

void rs_page_end(struct rs_buffer *out) { rs_plot_write(out, "</main>\n</body>\n</html>\n"); }

void figure_begin(struct rs_buffer *out, const char *class, const char *title)
{
	rs_plot_write(out, "<figure class=\"%E\"><h3>%E</h3>\n", class, title);
}

void figure_end(struct rs_buffer *out, const char *caption)
{
	rs_plot_write(out, "<figcaption>%E</figcaption></figure>\n", caption);
}

static void section(struct rs_buffer *out, const char *id, const char *title)
{
	rs_plot_write(out, "<h2 id=\"%E\">%E</h2>\n", id, title);
}

static void table_of_facts(struct rs_buffer *out, const struct rs_facts *facts)
{
	rs_plot_write(out, "<table class=\"facts\"><tbody>\n");
	for (size_t i = 0; i < facts->count; i++)
		rs_plot_write(out, "<tr><th scope=\"row\">%E</th><td>%E</td></tr>\n", facts->items[i].name,
		              facts->items[i].value);
	rs_plot_write(out, "</tbody></table>\n");
}

static void facts_section(struct rs_buffer *out, const char *id, const char *title,
                          const struct rs_facts *facts)
{
	if (facts->count == 0)
		return;
	section(out, id, title);
	table_of_facts(out, facts);
}

static void opening(const struct rs_report *report, struct rs_buffer *out)
{
	rs_plot_write(out, "<header><h1>%E</h1><p class=\"about\">%E</p></header>\n", report->title,
	              report->about);
	if (report->synthetic)
		rs_plot_write(
			out,
			"<p class=\"synthetic\"><b>Synthetic data.</b> The study says that its subjects are made "
			"up: no figure below says anything of patients.</p>\n");
	if (report->verdict)
		rs_plot_write(out, "<section class=\"verdict\"><p>%E</p></section>\n", report->verdict);
	for (size_t i = 0; i < report->warning_count; i++)
		rs_plot_write(out, "<p class=\"warning\"><b>Warning.</b> %E.</p>\n", report->warnings[i]);
}

/* The card of Mitchell et al. (2019): what its writers alone can know stands here or is missing in so many words. */
static void card_section(const struct rs_report *report, struct rs_buffer *out)
{
	static const struct {
		const char *key, *name;
	} parts[] = {
		{"intended_use", "Intended use"},
		{"users", "Users"},
		{"out_of_scope", "Not to be used for"},
		{"data_source", "Training data"},
		{"demographics", "Groups and factors"},
		{"fairness", "Fairness"},
		{"ethics", "Ethical considerations"},
		{"limits", "Limits and advice"},
		{"licence", "Licence"},
		{"contact", "Contact"},
	};
	struct rs_fact items[RS_COUNT(parts)];
	for (size_t p = 0; p < RS_COUNT(parts); p++) {
		items[p] = (struct rs_fact){parts[p].name, "not evidenced"};
		for (size_t i = 0; i < report->card.count; i++)
			if (strcmp(report->card.items[i].name, parts[p].key) == 0)
				items[p].value = report->card.items[i].value;
	}
	section(out, "card", "Model card");
	rs_plot_write(
		out,
		"<p class=\"note\">After Mitchell et al. (2019), from the study file's card. Metrics, evaluation "
		"and provenance stand above and below.</p>\n");
	table_of_facts(out, &(struct rs_facts){RS_COUNT(parts), items});
}

enum rs_code rs_report_write(const struct rs_report *report, struct rs_buffer *out, struct rs_error *err)
{
	RS_TRY(rs_page_begin(out, report->title, false, err));
	opening(report, out);
	section(out, "performance", "Performance");
	rs_plot_write(out, "<div class=\"figures\">\n");
	if (report->way_count > 0)
		figure_of_merits(report, out);
	RS_TRY(report->survival          ? figures_of_survival(report, out, err)
	       : report->level_count > 0 ? figures_of_several(report, out, err)
	                                 : figures_of_classes(report, out, err));
	figures_of_risks(report, out);
	figure_of_ratios(report, out);
	figure_of_importance(report, out);
	figure_of_effects(report, out);
	rs_plot_write(out, "</div>\n");
	section(out, "figures", "All figures");
	table_of_findings(report, out);
	table_of_folds(report, out);
	table_of_inputs(report, out);
	facts_section(out, "study", "Study", &report->study);
	facts_section(out, "subjects", "Subjects", &report->subjects);
	if (report->evidence.count > 0) {
		card_section(report, out);
		section(out, "checklists", "Checklists");
		checklists_write(report, out);
	}
	facts_section(out, "provenance", "Provenance", &report->provenance);
	rs_page_end(out);
	return rs_buffer_check(out, "the report", err);
}
