/* Training from a table of cases, and what the network is worth on those that were held out. */
#include <math.h>
#include <string.h>

#include "learned_cases.h"

#define BATCH 2
#define RATE 2e-2
#define WARM_UP 0.1
#define DECAY 0.02
#define CLIP_NORM 1.0
#define AVERAGE 0.99
#define WIDTH_MAX 64
#define EPOCHS_MAX 10000

struct lesson {
	const struct rs_learned_options *options;
	const struct rs_learned_report *report;
	struct rs_pool *pool;
	struct cases cases;
	size_t *rows; /* that are trained on */
	size_t count;
	struct study *studies; /* of those rows */
	struct rs_learned *model;
};

static void lesson_finish(struct lesson *lesson)
{
	for (size_t i = 0; lesson->studies && i < lesson->count; i++)
		study_finish(&lesson->studies[i]);
	rs_free(lesson->studies);
	rs_free(lesson->rows);
	cases_finish(&lesson->cases);
	rs_learned_destroy(lesson->model);
}

static enum rs_code options_check(const struct rs_learned_options *options, struct rs_error *err)
{
	if (!(options->held_out >= 0 && options->held_out < 1))
		return rs_error_set(err, RS_USAGE,
		                    "the share that is held out is from 0 to below 1, such as 0.2");
	if (!(options->spacing_mm >= 0.1 && options->spacing_mm <= 100))
		return rs_error_set(err, RS_USAGE, "the network's grid has a spacing from 0.1 to 100 mm");
	if (options->epochs < 1 || options->epochs > EPOCHS_MAX || options->patches < 1 ||
	    options->patches > EPOCHS_MAX)
		return rs_error_set(err, RS_USAGE, "epochs and patches are from 1 to %d", EPOCHS_MAX);
	if (options->width < 1 || options->width > WIDTH_MAX)
		return rs_error_set(err, RS_USAGE, "the network's width is from 1 to %d", WIDTH_MAX);
	return RS_OK;
}

static enum rs_code model_start(struct lesson *lesson, struct rs_error *err)
{
	const struct rs_learned_options *options = lesson->options;
	const struct cases *cases = &lesson->cases;
	struct rs_learned *model = lesson->model = rs_allocate(sizeof *model);
	if (!model)
		return rs_error_memory(err, sizeof *model, "a model");
	model->spacing_mm = options->spacing_mm;
	model->channels = cases->channels;
	model->seed = options->seed;
	model->epochs = options->epochs;
	model->patches = options->patches;
	for (size_t c = 0; c < cases->channels; c++) {
		const char *name = rs_csv_name(&cases->table, cases->columns[c]);
		memcpy(model->names[c], name, strlen(name));
	}
	model->case_count = lesson->count;
	model->cases = rs_allocate_array(lesson->count, sizeof *model->cases);
	model->dice = rs_allocate_array(cases->count, sizeof *model->dice);
	if (!model->cases || !model->dice)
		return rs_error_memory(err, cases->count * sizeof *model->cases, "a model");
	return learned_network(cases->channels, options->width, options->seed, &model->network, err);
}

static enum rs_code load(void *context, size_t index, struct rs_error *err)
{
	struct lesson *lesson = context;
	const struct cases *cases = &lesson->cases;
	struct case_images images RS_CLEANUP(case_images_finish) = {0};
	RS_TRY(case_read(cases, lesson->rows[index], &images, err));
	lesson->model->cases[index] = images.digest;
	if (study_of(images.there, cases->channels, &images.mask, lesson->options->spacing_mm,
	             &lesson->studies[index], err) != RS_OK)
		return rs_error_context(err, "line %zu", cases->table.lines[lesson->rows[index]]);
	return RS_OK;
}

static enum rs_code load_all(struct lesson *lesson, struct rs_error *err)
{
	size_t inside = 0;
	lesson->rows = rs_allocate_array(lesson->cases.count, sizeof *lesson->rows);
	lesson->studies = rs_allocate_array(lesson->cases.count, sizeof *lesson->studies);
	if (!lesson->rows || !lesson->studies)
		return rs_error_memory(err, lesson->cases.count * sizeof *lesson->studies, "cases");
	for (size_t r = 0; r < lesson->cases.count; r++)
		if (!lesson->cases.held_out[r])
			lesson->rows[lesson->count++] = r;
	RS_TRY(model_start(lesson, err));
	RS_TRY(rs_pool_for(lesson->pool, lesson->count, load, lesson, err));
	for (size_t i = 0; i < lesson->count; i++)
		inside += lesson->studies[i].inside_count;
	return inside ? RS_OK
	              : rs_error_set(err, RS_NOT_FOUND,
	                             "the masks cover no voxel of %g mm: there is nothing to learn",
	                             lesson->options->spacing_mm);
}

/* Sample by sample the cases take turns. */
static enum rs_code fill(void *context, size_t index, struct rs_stream *stream, float *out,
                         uint32_t *out_labels, struct rs_error *err)
{
	const struct lesson *lesson = context;
	(void)err;
	patch_draw(&lesson->studies[index % lesson->count], index / lesson->count, stream, out, out_labels);
	return RS_OK;
}

static enum rs_code tell_epoch(void *context, uint32_t epoch, double loss, double validation_loss)
{
	const struct lesson *lesson = context;
	const struct rs_learned_report *report = lesson->report;
	(void)validation_loss;
	return report->epoch ? report->epoch(report->context, epoch + 1, lesson->options->epochs, loss)
	                     : RS_OK;
}

static enum rs_code learn(struct lesson *lesson, struct rs_error *err)
{
	const struct rs_samples samples = {
		.count = lesson->count * lesson->options->patches, .context = lesson, .fill_labelled = fill};
	const struct rs_network_training training = {.loss = RS_LOSS_OVERLAP,
	                                             .epochs = lesson->options->epochs,
	                                             .batch = BATCH,
	                                             .rate = RATE,
	                                             .warm_up = WARM_UP,
	                                             .decay = DECAY,
	                                             .clip = CLIP_NORM,
	                                             .average = AVERAGE,
	                                             .seed = lesson->options->seed,
	                                             .progress = tell_epoch,
	                                             .progress_context = lesson};
	return rs_network_train(&lesson->model->network, &samples, NULL, &training, lesson->pool, err);
}

/* ---- held out ---- */

static void hold_against(const struct rs_mask *truth, const struct rs_mask *found,
                         const struct rs_volume *uncertainty, struct rs_learned_case *out)
{
	const double *spacing = truth->geometry.spacing_mm, voxel = spacing[0] * spacing[1] * spacing[2];
	const size_t voxels = rs_geometry_voxels(&truth->geometry);
	double count[2][2] = {{0}}, entropy[2] = {0};
	for (size_t i = 0; i < voxels; i++) {
		const bool is = truth->labels[i] != 0, said = found->labels[i] != 0;
		count[is][said]++;
		entropy[is != said] += uncertainty->voxels[i];
	}
	const double wrong = count[0][1] + count[1][0], right = count[0][0] + count[1][1];
	out->dice = count[1][1] + wrong > 0 ? 2 * count[1][1] / (2 * count[1][1] + wrong) : 1;
	out->volume_mm3[0] = (count[1][0] + count[1][1]) * voxel;
	out->volume_mm3[1] = (count[0][1] + count[1][1]) * voxel;
	out->entropy[0] = right > 0 ? entropy[0] / right : 0;
	out->entropy[1] = wrong > 0 ? entropy[1] / wrong : 0;
}

static enum rs_code judge(struct lesson *lesson, size_t row, struct rs_error *err)
{
	const struct cases *cases = &lesson->cases;
	struct case_images images RS_CLEANUP(case_images_finish) = {0};
	struct rs_mask found RS_CLEANUP(rs_mask_finish) = {0};
	struct rs_volume uncertainty RS_CLEANUP(rs_volume_finish) = {0};
	struct rs_learned_case told = {.subject = rs_csv_cell(&cases->table, row, cases->subject),
	                               .line = cases->table.lines[row]};
	const struct rs_geometry *grid = NULL;
	RS_TRY(case_read(cases, row, &images, err));
	for (size_t c = cases->channels; c-- > 0;)
		grid = images.there[c] ? &images.there[c]->geometry : grid;
	enum rs_code code = grid_same(grid, &images.mask.geometry, "the mask", err);
	if (code == RS_OK)
		code = rs_learned_apply(lesson->model, images.there, cases->channels, false, lesson->pool,
		                        &found, &uncertainty, err);
	if (code != RS_OK)
		return rs_error_context(err, "line %zu", told.line);
	hold_against(&images.mask, &found, &uncertainty, &told);
	lesson->model->dice[lesson->model->dice_count++] = told.dice;
	if (lesson->report->judged)
		lesson->report->judged(lesson->report->context, &told);
	return RS_OK;
}

enum rs_code rs_learned_train(const struct rs_world *world, const char *table,
                              const struct rs_learned_options *options,
                              const struct rs_learned_report *report, struct rs_pool *pool,
                              struct rs_learned **out, struct rs_error *err)
{
	struct lesson lesson RS_CLEANUP(lesson_finish) = {.options = options, .report = report, .pool = pool};
	RS_TRY(options_check(options, err));
	RS_TRY(cases_read(world, table, options, &lesson.cases, err));
	RS_TRY(cases_permit(&lesson.cases, report, err));
	RS_TRY(load_all(&lesson, err));
	RS_TRY(learn(&lesson, err));
	for (size_t r = 0; r < lesson.cases.count; r++)
		if (lesson.cases.held_out[r])
			RS_TRY(judge(&lesson, r, err));
	*out = lesson.model;
	lesson.model = NULL;
	return RS_OK;
}
