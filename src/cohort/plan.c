/* Columns and settings of a run. */
#include <stdio.h>
#include <string.h>

#include "cohort/plan.h"

#define NAMES_MAX ((size_t)64 << 20)

void plan_finish(struct cohort_plan *plan)
{
	for (size_t i = 0; i < plan->image_count; i++)
		rs_radiomics_result_finish(&plan->images[i].names);
	rs_free(plan->columns);
	rs_arena_finish(&plan->arena);
	memset(plan, 0, sizeof *plan);
}

/* Bins that suit the sequence, where the user chose none: intensities of MRI have no unit, so a fixed number of
 * bins; CT is in HU, PET in SUV. source: radiomics.io's and IBSI's advice on discretisation */
static enum rs_code choose_bins(const char *prefix, struct rs_radiomics_settings *settings,
                                struct rs_error *err)
{
	static const struct {
		const char *prefix, *setting, *value;
	} rows[] = {{"ct", "binWidth", "25"},
	            {"pet", "binWidth", "0.5"},
	            {"pt", "binWidth", "0.5"},
	            {"suv", "binWidth", "0.5"},
	            {"", "binCount", "32"}};
	for (size_t i = 0;; i++) {
		struct rs_str head = {prefix, strlen(rows[i].prefix)};
		if (strlen(prefix) < head.size ||
		    !rs_str_equal_ignoring_case(head, rs_str_from(rows[i].prefix)))
			continue;
		return rs_radiomics_settings_set(settings, rows[i].setting, rows[i].value, err);
	}
}

static enum rs_code plan_image(const struct rs_cohort_job *job, const char *prefix, struct image_plan *image,
                               struct rs_error *err)
{
	image->prefix = prefix;
	image->settings = *job->settings;
	if (*prefix != '\0' && !job->settings->binning_chosen &&
	    job->settings->mode == RS_RADIOMICS_PYRADIOMICS)
		RS_TRY(choose_bins(prefix, &image->settings, err));
	if (job->maps_directory != NULL) /* a cube has no shape */
		image->settings.chosen[RS_FAMILY_SHAPE] = image->settings.chosen[RS_FAMILY_SHAPE_2D] = 0;
	RS_TRY(rs_radiomics_plan(&image->settings, &image->names, err));
	rs_hex_encode(rs_bytes_of(&image->names.settings_digest, sizeof image->names.settings_digest),
	              image->settings_hex);
	return RS_OK;
}

static struct rs_cohort_column text_column(enum rs_column_origin origin)
{
	return (struct rs_cohort_column){
		.kind = RS_COLUMN_TEXT, .origin = origin, .ibsi = "", .aggregation = "", .unit = ""};
}

/* UCUM; the names end so in mode pyradiomics, those of mode ibsi tell theirs in IBSI's manual. */
static const char *diagnostic_unit(const char *name)
{
	static const struct {
		const char *ending, *unit;
	} rows[] = {{"_Spacing", "mm"},         {"_CenterOfMass", "mm"}, {"_Mean", "[image]"},
	            {"_Minimum", "[image]"},    {"_Maximum", "[image]"}, {"_Size", "1"},
	            {"_BoundingBox", "1"},      {"_VoxelNum", "1"},      {"_VolumeNum", "1"},
	            {"_CenterOfMassIndex", "1"}};
	for (size_t i = 0; i < RS_COUNT(rows); i++)
		if (rs_str_ends_with(rs_str_from(name), rows[i].ending))
			return rows[i].unit;
	return "";
}

/* Never fails before `room` columns; the name is kept. */
static enum rs_code add(struct cohort_plan *plan, const char *prefix, const char *name,
                        struct rs_cohort_column column, struct rs_error *err)
{
	size_t size = strlen(prefix) + strlen(name) + 2;
	char *text = rs_arena_allocate(&plan->arena, size);
	if (text == NULL)
		return rs_error_memory(err, size, "names of columns");
	snprintf(text, size, "%s%s%s", prefix, *prefix ? "_" : "", name);
	column.name = text;
	plan->columns[plan->column_count++] = column;
	return RS_OK;
}

static enum rs_code add_inputs(const struct rs_cohort *cohort, const struct rs_cohort_job *job,
                               struct cohort_plan *plan, struct rs_error *err)
{
	uint64_t number;
	bool plain = job->label == NULL || rs_parse_u64(rs_str_from(job->label), &number);
	plan->label_column = RS_CSV_NO_COLUMN;
	plan->input_count = cohort->input_count;
	for (size_t i = 0; i < cohort->input_count; i++) {
		if (strcmp(cohort->input_names[i], "Label") == 0)
			plan->label_column = i;
		RS_TRY(add(plan, "", cohort->input_names[i], text_column(RS_COLUMN_INPUT), err));
	}
	if (plan->label_column != RS_CSV_NO_COLUMN || plain)
		return RS_OK;
	plan->label_column = plan->column_count;
	return add(plan, "", "Label", text_column(RS_COLUMN_INPUT), err);
}

static enum rs_code add_results(struct cohort_plan *plan, const struct rs_cohort_job *job,
                                const struct image_plan *image, struct rs_error *err)
{
	const struct rs_radiomics_result *names = &image->names;
	enum rs_column_kind kind = job->maps_directory != NULL ? RS_COLUMN_TEXT : RS_COLUMN_NUMBER;
	for (size_t i = 0; i < names->diagnostic_count; i++) {
		struct rs_cohort_column column = text_column(RS_COLUMN_DIAGNOSTIC);
		column.kind = names->diagnostics[i].quoted ? RS_COLUMN_TEXT : RS_COLUMN_JSON;
		column.unit = diagnostic_unit(names->diagnostics[i].name);
		RS_TRY(add(plan, image->prefix, names->diagnostics[i].name, column, err));
	}
	for (size_t i = 0; i < names->count; i++) {
		const struct rs_radiomics_value *value = &names->values[i];
		const struct rs_cohort_column column = {NULL,
		                                        kind,
		                                        RS_COLUMN_FEATURE,
		                                        value->ibsi,
		                                        value->aggregation != NULL ? value->aggregation : "",
		                                        value->unit};
		RS_TRY(add(plan, image->prefix, value->name, column, err));
	}
	return RS_OK;
}

static enum rs_code add_provenance(struct cohort_plan *plan, const struct rs_cohort_job *job,
                                   struct rs_error *err)
{
	static const char *const names[] = {"provenance_Settings", "provenance_Image", "provenance_Mask",
	                                    "provenance_Receipt"};
	const struct rs_cohort_column column = text_column(RS_COLUMN_PROVENANCE);
	size_t count = RS_COUNT(names) - (job->seal == NULL);
	RS_TRY(add(plan, "", "provenance_Version", column, err));
	for (size_t i = 0; i < plan->image_count; i++)
		for (size_t k = 0; k < count; k++)
			RS_TRY(add(plan, plan->images[i].prefix, names[k], column, err));
	RS_TRY(add(plan, "", "provenance_LabelName", column, err));
	return add(plan, "", "error", column, err);
}

static enum rs_code check_names(const struct cohort_plan *plan, struct rs_error *err)
{
	for (size_t i = 0; i < plan->input_count; i++)
		for (size_t k = plan->input_count; k < plan->column_count; k++)
			if (strcmp(plan->columns[i].name, plan->columns[k].name) == 0)
				return rs_error_set(
					err, RS_USAGE,
					"the table's column '%s' has the name of a column of the output; "
					"rename it",
					plan->columns[i].name);
	return RS_OK;
}

static void digest_plan(const struct rs_cohort_job *job, struct cohort_plan *plan)
{
	struct rs_sha256 hash;
	rs_sha256_init(&hash);
	rs_sha256_update(&hash, job->version, strlen(job->version) + 1);
	if (job->label != NULL)
		rs_sha256_update(&hash, job->label, strlen(job->label) + 1);
	if (job->maps_directory != NULL) {
		rs_sha256_update(&hash, job->maps_directory, strlen(job->maps_directory) + 1);
		rs_sha256_update(&hash, job->maps_suffix, strlen(job->maps_suffix) + 1);
	}
	for (size_t i = 0; i < plan->image_count; i++)
		rs_sha256_update(&hash, plan->images[i].settings_hex, HEX_SIZE);
	for (size_t i = 0; i < plan->column_count; i++)
		rs_sha256_update(&hash, plan->columns[i].name, strlen(plan->columns[i].name) + 1);
	rs_sha256_final(&hash, &plan->digest);
}

enum rs_code plan_make(const struct rs_cohort *cohort, const struct rs_cohort_job *job,
                       struct cohort_plan *plan, struct rs_error *err)
{
	if (job->maps_directory != NULL && job->settings->mode == RS_RADIOMICS_IBSI)
		return rs_error_set(err, RS_USAGE,
		                    "maps are made of PyRadiomics' features, not in mode ibsi");
	rs_arena_init(&plan->arena, NAMES_MAX);
	plan->room = cohort->input_count + 4;
	for (size_t i = 0; i < cohort->image_count; i++) {
		plan->image_count++; /* first: what a failure leaves of it is finished, too */
		RS_TRY(plan_image(job, cohort->cases[0].images[i].prefix, &plan->images[i], err));
		plan->room += plan->images[i].names.diagnostic_count + plan->images[i].names.count + 4;
	}
	plan->columns = rs_allocate_array(plan->room, sizeof *plan->columns);
	if (plan->columns == NULL)
		return rs_error_memory(err, plan->room * sizeof *plan->columns, "columns");
	RS_TRY(add_inputs(cohort, job, plan, err));
	for (size_t i = 0; i < plan->image_count; i++)
		RS_TRY(add_results(plan, job, &plan->images[i], err));
	RS_TRY(add_provenance(plan, job, err));
	RS_TRY(check_names(plan, err));
	digest_plan(job, plan);
	return RS_OK;
}
