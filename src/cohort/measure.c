/* Measures one case: a row for each region, with all images of the case side by side. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cohort/maps.h"
#include "cohort/measure.h"
#include "cohort/sequence.h"

/* An image of the case; error.code tells why it could not be read, and then why it could not be measured. */
struct part {
	bool named;
	struct rs_radiomics_settings settings; /* the plan's, but what the case has of its own */
	struct rs_digest settings_digest;
	struct sequence sequence;
	struct rs_error error;
	struct rs_radiomics_result result; /* of the region at hand */
	char **maps;                       /* paths of its maps, instead of a result */
	char *receipt;                     /* of the sealed vector */
	struct rs_error failure;
};
struct work {
	const struct rs_cohort_job *job;
	const struct cohort_plan *plan;
	const struct rs_cohort_case *item;
	size_t index; /* of the case */
	struct part parts[RS_COHORT_IMAGES_MAX];
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
		struct part *part = &work->parts[i];
		rs_radiomics_result_finish(&part->result);
		map_paths_free(part->maps, work->plan->images[i].names.count);
		part->maps = NULL;
		rs_free(part->receipt);
		part->receipt = NULL;
		part->failure = (struct rs_error){.code = RS_OK};
	}
}

static void work_finish(struct work *work)
{
	work_forget(work);
	for (size_t i = 0; i < work->plan->image_count; i++)
		sequence_finish(&work->parts[i].sequence);
}

/* Lines that were noted of one image, with its name before them. */
static void take_notes(struct work *work, size_t image, struct rs_buffer *notes)
{
	const char *prefix = work->plan->images[image].prefix;
	struct rs_str rest = rs_buffer_str(notes), line;
	while (rs_str_split(&rest, '\n', &line))
		if (line.size > 0)
			rs_buffer_printf(&work->out->notes, "%s%s" RS_STR_FORMAT "\n", prefix,
			                 *prefix ? ": " : "", RS_STR_ARGUMENTS(line));
	rs_buffer_clear(notes);
}

/* The case's channel is a setting, and so in the digest; its label is in the row. A mask that serves several sequences is
 * carried onto each one's grid; that of a single image only on request. */
static enum rs_code settings_take(struct work *work, size_t image, struct rs_error *err)
{
	struct part *part = &work->parts[image];
	const char *channel = work->item->channel;
	part->settings = work->plan->images[image].settings;
	part->settings_digest = work->plan->images[image].names.settings_digest;
	if (channel != NULL) {
		if (rs_radiomics_settings_set(&part->settings, "label_channel", channel, err) != RS_OK)
			return rs_error_context(err, "column Label_channel");
		RS_TRY(rs_radiomics_settings_digest(&part->settings, &part->settings_digest, err));
	}
	part->settings.correct_mask |= work->plan->image_count > 1;
	return RS_OK;
}

static void load_all(struct work *work)
{
	struct rs_buffer notes RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&notes, ROWS_SIZE_MAX);
	for (size_t i = 0; i < work->plan->image_count; i++) {
		struct part *part = &work->parts[i];
		part->named = work->item->images[i].image != NULL;
		if (settings_take(work, i, &part->error) == RS_OK && part->named &&
		    sequence_read(work->job->world, &work->item->images[i], &part->settings, &notes,
		                  &part->sequence, &part->error) == RS_OK)
			part->error.code = RS_OK;
		take_notes(work, i, &notes);
	}
}

static void refuse_all(struct work *work, const struct rs_error *refused)
{
	for (size_t i = 0; i < work->plan->image_count; i++) {
		work->parts[i].settings_digest = work->plan->images[i].names.settings_digest;
		work->parts[i].named = work->item->images[i].image != NULL;
		work->parts[i].error = *refused;
	}
}

static enum rs_code seal(struct work *work, size_t index, const struct label_choice *choice,
                         struct rs_error *err)
{
	struct part *part = &work->parts[index];
	const struct image_plan *image = &work->plan->images[index];
	char label[128] = "";
	if (choice != NULL)
		label_text(choice, label, sizeof label);
	else
		snprintf(label, sizeof label, "%u", image->settings.label);
	const struct rs_cohort_vector vector = {
		.index = work->index,
		.prefix = image->prefix,
		.label = label,
		.settings = part->settings_digest,
		.image_files = part->sequence.image_files.files,
		.image_count = part->sequence.image_files.count,
		.mask_files = part->sequence.mask_files.files,
		.mask_count = part->sequence.mask_files.count,
		.result = &part->result,
	};
	if (work->job->seal(work->job->seal_context, &vector, &part->receipt, err) != RS_OK)
		return rs_error_context(err, "sealing the features");
	return RS_OK;
}

static enum rs_code extract_from(struct work *work, size_t index, const struct label_choice *choice,
                                 struct rs_buffer *notes, struct rs_error *err)
{
	struct part *part = &work->parts[index];
	const struct image_plan *image = &work->plan->images[index];
	struct rs_radiomics_settings settings = part->settings;
	struct rs_mask own RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
	const struct rs_mask *mask = NULL;
	struct rs_pool *pool = work->job->jobs > 1 ? NULL : work->job->pool;
	bool plain = rs_cohort_label_is_plain(work->item->label, work->job->label);
	RS_TRY(sequence_region(&part->sequence, choice, notes, &own, &mask, &settings.label, err));
	if (work->job->maps_directory != NULL)
		RS_TRY(maps_write(work->job, &part->sequence.image, mask, &settings,
		                  &(struct map_naming){work->index, image->prefix, plain ? NULL : choice,
		                                       &image->names},
		                  pool, &part->maps, &part->result, err));
	else
		RS_TRY(rs_radiomics_extract(&part->sequence.image, mask, &settings, pool, &part->result,
		                            err));
	if (part->result.warning[0] != '\0')
		rs_buffer_printf(notes, "%s\n", part->result.warning);
	return work->job->seal != NULL ? seal(work, index, choice, err) : RS_OK;
}

static void extract(struct work *work, size_t index, const struct label_choice *choice)
{
	struct rs_buffer notes RS_CLEANUP(rs_buffer_finish) = {0};
	struct part *part = &work->parts[index];
	rs_buffer_init(&notes, ROWS_SIZE_MAX);
	if (extract_from(work, index, choice, &notes, &part->failure) == RS_OK)
		part->failure.code = RS_OK;
	take_notes(work, index, &notes);
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

static void digest_cell(struct work *work, const struct rs_digest *digest)
{
	char hex[HEX_SIZE];
	rs_hex_encode(rs_bytes_of(digest, sizeof *digest), hex);
	cell(work, hex);
}

static void files_cell(struct work *work, const struct source_files *read)
{
	if (read->count > 0)
		digest_cell(work, &read->all);
	else
		cell(work, "");
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
	const struct rs_radiomics_result *result = &work->parts[index].result;
	char *const *maps = work->parts[index].maps;
	for (size_t i = 0; i < names->diagnostic_count; i++)
		cell(work, diagnostic_text(result, names->diagnostics[i].name, i));
	for (size_t i = 0; i < names->count; i++)
		if (work->job->maps_directory != NULL)
			cell(work, maps != NULL ? maps[i] : "");
		else
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
		digest_cell(work, &work->parts[i].settings_digest);
		files_cell(work, &work->parts[i].sequence.image_files);
		files_cell(work, &work->parts[i].sequence.mask_files);
		if (work->job->seal != NULL)
			cell(work, work->parts[i].receipt != NULL ? work->parts[i].receipt : "");
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
		const struct part *part = &work->parts[i];
		named += part->named;
		error = part->error.code != RS_OK ? part->error : part->failure;
		if (error.code != RS_OK && work->plan->images[i].prefix[0] != '\0')
			rs_error_context(&error, "%s", work->plan->images[i].prefix);
	}
	if (named == 0 && error.code == RS_OK)
		rs_error_set(&error, RS_MALFORMED, "no image is named");
	return error;
}

static void measure_region(struct work *work, const struct label_choice *choice)
{
	for (size_t i = 0; i < work->plan->image_count; i++)
		if (work->parts[i].named && work->parts[i].error.code == RS_OK)
			extract(work, i, choice);
	struct rs_error failure = first_failure(work);
	write_row(work, choice, &failure);
	work_forget(work);
}

/* The mask that labels are looked up in: the first that could be read. */
static const struct rs_mask *reference_mask(const struct work *work)
{
	for (size_t i = 0; i < work->plan->image_count; i++)
		if (work->parts[i].named && work->parts[i].error.code == RS_OK)
			return &work->parts[i].sequence.mask;
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
                          const struct cohort_plan *plan, size_t index, const struct rs_error *refused,
                          struct outcome *out, struct rs_error *err)
{
	struct work *work RS_CLEANUP(rs_free_pointer) = rs_allocate(sizeof *work);
	if (work == NULL)
		return rs_error_memory(err, sizeof *work, "a case");
	*work = (struct work){
		.job = job, .plan = plan, .item = &cohort->cases[index], .index = index, .out = out};
	rs_buffer_init(&out->rows, ROWS_SIZE_MAX);
	rs_buffer_init(&out->notes, ROWS_SIZE_MAX);
	if (refused == NULL)
		load_all(work);
	else
		refuse_all(work, refused);
	measure_regions(work);
	work_finish(work);
	rs_buffer_append_u8(&out->notes, 0);
	RS_TRY(rs_buffer_check(&out->notes, "notes on a case", err));
	return rs_buffer_check(&out->rows, "the rows of a case", err);
}
