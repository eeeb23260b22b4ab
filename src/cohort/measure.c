/* Measures one case: a row for each region, with all images of the case side by side. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cohort/labels.h"
#include "cohort/measure.h"
#include "cohort/provenance.h"

/* An image of the case as it was read; error.code tells why it could not be. */
struct sequence {
	bool named;
	struct rs_volume image;
	struct rs_mask mask;
	char image_hex[HEX_SIZE], mask_hex[HEX_SIZE];
	struct rs_error error;
};
/* A region of one image as it was measured. */
struct measured {
	struct rs_radiomics_result result;
	struct rs_error error;
};
struct work {
	const struct rs_cohort_job *job;
	const struct cohort_plan *plan;
	const struct rs_cohort_case *item;
	struct sequence sequences[RS_COHORT_IMAGES_MAX];
	struct measured measured[RS_COHORT_IMAGES_MAX];
	struct outcome *out;
};

void outcome_finish(struct outcome *outcome)
{
	rs_buffer_finish(&outcome->rows);
	rs_buffer_finish(&outcome->notes);
	memset(outcome, 0, sizeof *outcome);
}

static void work_forget(struct work *work)
{
	for (size_t i = 0; i < work->plan->image_count; i++) {
		rs_radiomics_result_finish(&work->measured[i].result);
		memset(&work->measured[i], 0, sizeof work->measured[i]);
	}
}

static void work_finish(struct work *work)
{
	work_forget(work);
	for (size_t i = 0; i < work->plan->image_count; i++) {
		rs_volume_finish(&work->sequences[i].image);
		rs_mask_finish(&work->sequences[i].mask);
	}
}

static void note(struct work *work, size_t image, const char *text)
{
	const char *prefix = work->plan->images[image].prefix;
	rs_buffer_printf(&work->out->notes, "%s%s%s\n", prefix, *prefix ? ": " : "", text);
}

/* A mask that serves several sequences is carried onto each one's grid; that of a single image only on request. */
static enum rs_code match(struct work *work, size_t index, struct rs_error *err)
{
	const struct rs_radiomics_settings *settings = &work->plan->images[index].settings;
	struct sequence *s = &work->sequences[index];
	struct rs_mask moved = {.labels = NULL};
	double tolerance_mm = settings->geometry_tolerance * s->image.geometry.spacing_mm[0];
	char text[256] = "";
	enum rs_code code = rs_mask_match(&s->image.geometry, &s->mask, tolerance_mm, text, sizeof text, err);
	if (code == RS_REFUSED && (settings->correct_mask || work->plan->image_count > 1)) {
		RS_TRY(rs_mask_onto(&s->image.geometry, &s->mask, &moved, err));
		rs_mask_finish(&s->mask);
		s->mask = moved;
		note(work, index, "the mask is resampled onto the image's grid");
		return RS_OK;
	}
	if (code == RS_OK && text[0] != '\0')
		note(work, index, text);
	return code;
}

static enum rs_code digest_hex(struct witness *witness, char out[HEX_SIZE], struct rs_error *err)
{
	struct rs_digest digest;
	RS_TRY(witness_digest(witness, &digest, err));
	rs_hex_encode(rs_bytes_of(&digest, sizeof digest), out);
	witness_clear(witness);
	return RS_OK;
}

static enum rs_code load(struct work *work, size_t index, struct rs_error *err)
{
	struct witness witness RS_CLEANUP(witness_finish) = {.count = 0};
	const struct rs_cohort_image *paths = &work->item->images[index];
	struct sequence *s = &work->sequences[index];
	witness_init(&witness, work->job->world);
	if (paths->mask == NULL)
		return rs_error_set(err, RS_MALFORMED, "no mask is named for the image");
	if (rs_volume_read(&witness.world, paths->image, &s->image, err) != RS_OK ||
	    digest_hex(&witness, s->image_hex, err) != RS_OK)
		return rs_error_context(err, "image");
	if (rs_mask_read(&witness.world, paths->mask, &s->mask, err) != RS_OK ||
	    digest_hex(&witness, s->mask_hex, err) != RS_OK)
		return rs_error_context(err, "mask");
	return match(work, index, err);
}

static void load_all(struct work *work)
{
	for (size_t i = 0; i < work->plan->image_count; i++) {
		struct sequence *s = &work->sequences[i];
		s->named = work->item->images[i].image != NULL;
		if (s->named && load(work, i, &s->error) == RS_OK)
			s->error.code = RS_OK;
	}
}

/* The region as the settings name it: a label, or several made one in a copy of the mask. */
static enum rs_code extract(struct work *work, size_t index, const struct label_choice *choice,
                            struct rs_error *err)
{
	struct sequence *s = &work->sequences[index];
	struct rs_radiomics_settings settings = work->plan->images[index].settings;
	struct rs_mask united RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
	const struct rs_mask *mask = &s->mask;
	struct rs_pool *pool = work->job->jobs > 1 ? NULL : work->job->pool;
	if (choice != NULL && choice->count == 0)
		return labels_missing(choice, mask, err);
	if (choice != NULL)
		settings.label = choice->values[0];
	if (choice != NULL && choice->count > 1) {
		RS_TRY(rs_mask_init(&united, &mask->geometry, err));
		memcpy(united.labels, mask->labels,
		       rs_geometry_voxels(&mask->geometry) * sizeof *mask->labels);
		labels_unite(choice, &united);
		mask = &united;
	}
	RS_TRY(rs_radiomics_extract(&s->image, mask, &settings, pool, &work->measured[index].result, err));
	if (work->measured[index].result.warning[0] != '\0')
		note(work, index, work->measured[index].result.warning);
	return RS_OK;
}

static void cell(struct work *work, const char *text)
{
	rs_buffer_append(&work->out->rows, text, strlen(text) + 1);
}

static void number_cell(struct work *work, double value)
{
	char text[RS_F64_TEXT_SIZE];
	rs_format_f64(value, text);
	cell(work, text);
}

static void input_cells(struct work *work, const struct label_choice *choice)
{
	const struct cohort_plan *plan = work->plan;
	char label[RS_COHORT_PREFIX_SIZE * 8] = "";
	if (choice != NULL)
		label_text(choice, label, sizeof label);
	for (size_t i = 0; i < plan->input_count; i++)
		cell(work, i == plan->label_column && choice != NULL ? label : work->item->input[i]);
	if (plan->label_column == plan->input_count)
		cell(work, label);
}

static const char *diagnostic_text(const struct rs_radiomics_result *result, const char *name, size_t at)
{
	if (at < result->diagnostic_count && strcmp(result->diagnostics[at].name, name) == 0)
		return result->diagnostics[at].text;
	for (size_t i = 0; i < result->diagnostic_count; i++)
		if (strcmp(result->diagnostics[i].name, name) == 0)
			return result->diagnostics[i].text;
	return "";
}

static void result_cells(struct work *work, size_t index)
{
	const struct rs_radiomics_result *names = &work->plan->images[index].names;
	const struct rs_radiomics_result *result = &work->measured[index].result;
	for (size_t i = 0; i < names->diagnostic_count; i++)
		cell(work, diagnostic_text(result, names->diagnostics[i].name, i));
	for (size_t i = 0; i < names->count; i++)
		number_cell(work, i < result->count ? result->values[i].value : NAN);
}

static void error_cell(struct work *work, const struct rs_error *error)
{
	cell(work, error->code == RS_OK ? "" : error->message);
	work->out->row_count++;
	if (error->code == RS_OK || work->out->failed)
		return;
	work->out->failed = true;
	work->out->failure = *error;
}

static void write_row(struct work *work, const struct label_choice *choice, const struct rs_error *error)
{
	const struct cohort_plan *plan = work->plan;
	input_cells(work, choice);
	for (size_t i = 0; i < plan->image_count; i++)
		result_cells(work, i);
	cell(work, work->job->version);
	for (size_t i = 0; i < plan->image_count; i++) {
		cell(work, plan->images[i].settings_hex);
		cell(work, work->sequences[i].image_hex);
		cell(work, work->sequences[i].mask_hex);
	}
	cell(work, choice != NULL ? choice->name : "");
	error_cell(work, error);
}

/* A case without any image is a mistake; one that lacks a sequence is not. */
static struct rs_error first_failure(const struct work *work)
{
	struct rs_error error = {.code = RS_OK};
	size_t named = 0;
	for (size_t i = 0; i < work->plan->image_count && error.code == RS_OK; i++) {
		const struct sequence *s = &work->sequences[i];
		named += s->named;
		error = s->error.code != RS_OK ? s->error : work->measured[i].error;
		if (error.code != RS_OK && work->plan->images[i].prefix[0] != '\0')
			rs_error_context(&error, "%s", work->plan->images[i].prefix);
	}
	if (named == 0 && error.code == RS_OK)
		rs_error_set(&error, RS_MALFORMED, "no image is named");
	return error;
}

static void measure_region(struct work *work, const struct label_choice *choice)
{
	for (size_t i = 0; i < work->plan->image_count; i++) {
		struct measured *m = &work->measured[i];
		if (work->sequences[i].named && work->sequences[i].error.code == RS_OK &&
		    extract(work, i, choice, &m->error) == RS_OK)
			m->error.code = RS_OK;
	}
	struct rs_error failure = first_failure(work);
	write_row(work, choice, &failure);
	work_forget(work);
}

/* The mask that labels are looked up in: the first that could be read. */
static const struct rs_mask *reference_mask(const struct work *work)
{
	for (size_t i = 0; i < work->plan->image_count; i++)
		if (work->sequences[i].named && work->sequences[i].error.code == RS_OK)
			return &work->sequences[i].mask;
	return NULL;
}

static void measure_regions(struct work *work)
{
	struct label_list list RS_CLEANUP(label_list_finish) = {0};
	const char *selector = work->item->label != NULL ? work->item->label : work->job->label;
	const struct rs_mask *mask = reference_mask(work);
	struct rs_error error = {.code = RS_OK};
	if (selector == NULL || mask == NULL) {
		measure_region(work, NULL);
		return;
	}
	if (labels_choose(selector, mask, &list, &error) != RS_OK) {
		write_row(work, NULL, &error);
		return;
	}
	for (size_t i = 0; i < list.count; i++)
		measure_region(work, &list.choices[i]);
}

enum rs_code measure_case(const struct rs_cohort *cohort, const struct rs_cohort_job *job,
                          const struct cohort_plan *plan, size_t index, struct outcome *out,
                          struct rs_error *err)
{
	struct work *work RS_CLEANUP(rs_free_pointer) = rs_allocate(sizeof *work);
	if (work == NULL)
		return rs_error_memory(err, sizeof *work, "a case");
	*work = (struct work){.job = job, .plan = plan, .item = &cohort->cases[index], .out = out};
	rs_buffer_init(&out->rows, ROWS_SIZE_MAX);
	rs_buffer_init(&out->notes, ROWS_SIZE_MAX);
	load_all(work);
	measure_regions(work);
	work_finish(work);
	rs_buffer_append_u8(&out->notes, 0);
	RS_TRY(rs_buffer_check(&out->notes, "notes on a case", err));
	return rs_buffer_check(&out->rows, "the rows of a case", err);
}
