/* The report of a network of pictures, by what it said of the test pictures. */
#include "report_pictures.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "crypto/crypto.h"

#define TEXT_SIZE 192

struct making {
	struct rs_way ways[2];
	struct rs_fact study[4], subjects[3], provenance[4];
	char texts[11][TEXT_SIZE];
	size_t used;
};

static void fact(struct making *making, struct rs_fact *out, const char *name, const char *text)
{
	char *copy = making->texts[making->used++];
	snprintf(copy, TEXT_SIZE, "%s", text);
	*out = (struct rs_fact){name, copy};
}

static void fact_digest(struct making *making, struct rs_fact *out, const char *name,
                        const struct rs_digest *digest)
{
	char hex[2 * RS_SHA256_SIZE + 1], text[TEXT_SIZE];
	rs_hex_encode(rs_bytes_of(digest->bytes, RS_SHA256_SIZE), hex);
	snprintf(text, sizeof text, "SHA-256 %s", hex);
	fact(making, out, name, text);
}

static void add_facts(const struct pictured *pictured, const struct rs_page *page, struct making *making)
{
	static const char *const parts[] = {"Training pictures", "Validation pictures", "Test pictures"};
	char text[TEXT_SIZE];
	struct rs_digest digest;
	rs_sha256(pictured->model_file, &digest);
	fact(making, &making->study[0], "Pictures", pictured->study->pictures);
	snprintf(text, sizeof text, "%zu x %zu, grey", pictured->pictures->side, pictured->pictures->side);
	fact(making, &making->study[1], "As the network sees them", text);
	snprintf(text, sizeof text,
	         "convolutional, %" PRIu64 " channels, %" PRIu64 " epochs; temperature %.3f",
	         pictured->study->channels, pictured->study->epochs, pictured->model->temperature);
	fact(making, &making->study[2], "Network", text);
	snprintf(text, sizeof text, "%" PRIu64, pictured->study->seed);
	fact(making, &making->study[3], "Seed", text);
	for (size_t p = 0; p < PARTS; p++) {
		snprintf(text, sizeof text, "%zu", pictured->pictures->count[p]);
		fact(making, &making->subjects[p], parts[p], text);
	}
	fact(making, &making->provenance[0], "Program", page->version);
	fact_digest(making, &making->provenance[1], "Study file", &pictured->study->digest);
	fact_digest(making, &making->provenance[2], "Model file", &digest);
	fact(making, &making->provenance[3], "Same again",
	     "the same files, seed and program give the same bits");
}

static struct rs_way way_of(const struct pictured *pictured, const char *shown, const char *of,
                            enum rs_way_kind kind, const double *score)
{
	const struct rs_gathered *told = pictured->gathered;
	const struct rs_finding *auc = rs_finding_find(told->findings, told->finding_count, of, "auc");
	return (struct rs_way){.name = shown,
	                       .kind = kind,
	                       .probabilities = kind == RS_WAY_MODEL,
	                       .score = score,
	                       .outcome = pictured->outcome,
	                       .merit = auc ? (struct rs_interval){auc->value, auc->lower, auc->upper}
	                                    : (struct rs_interval){NAN, NAN, NAN}};
}

static double value_of(const struct rs_gathered *told, const char *name)
{
	const struct rs_finding *found = rs_finding_find(told->findings, told->finding_count, "network",
	                                                 name);
	return found ? found->value : NAN;
}

enum rs_code pictures_page(const struct pictured *pictured, const struct rs_page *page, struct rs_error *err)
{
	const struct rs_gathered *told = pictured->gathered;
	const size_t count = pictured->pictures->count[PART_TEST];
	struct making making = {.used = 0};
	uint8_t *called RS_CLEANUP(rs_free_pointer) = rs_allocate(count);
	if (!called || told->failed)
		return rs_error_memory(err, count, "a report");
	for (size_t i = 0; i < count; i++)
		called[i] = pictured->p[i] >= pictured->model->threshold;
	making.ways[0] = way_of(pictured, "Network", "network", RS_WAY_MODEL, pictured->p);
	making.ways[1] = way_of(pictured, "Coarse grey values", "coarse_grey", RS_WAY_BASELINE,
	                        pictured->simple);
	add_facts(pictured, page, &making);
	const struct rs_report report = {
		.title = "Training of a network of pictures",
		.about = page->source,
		.verdict = pictured->verdict,
		.merit = "Area under the ROC curve",
		.rows = count,
		.ways = making.ways,
		.way_count = RS_COUNT(making.ways),
		.called = called,
		.called_about = "Test pictures; the threshold was chosen on validation.",
		.sensitivity = value_of(told, "sensitivity"),
		.specificity = value_of(told, "specificity"),
		.findings = told->findings,
		.finding_count = told->finding_count,
		.warnings = told->warnings,
		.warning_count = told->warning_count,
		.study = {RS_COUNT(making.study), making.study},
		.subjects = {RS_COUNT(making.subjects), making.subjects},
		.provenance = {RS_COUNT(making.provenance), making.provenance}};
	return rs_report_write(&report, page->out, err);
}
