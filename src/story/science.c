/* From sealed series to a prognosis. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "segment/segment_compare.h"
#include "teller.h"

#define BOX_MARGIN_MM 4

static const char pipeline[] = "reference: T2\n"
			       "steps:\n"
			       "  - adc\n"
			       "  - dce: {model: none}\n"
			       "  - register: {transform: rigid}\n"
			       "  - resample: {spacing_mm: 2, margin_mm: 20}\n";
static const char settings[] = "setting: {binWidth: 0.1, normalize: true}\n"
			       "imageType:\n"
			       "  Original: {}\n"
			       "  LoG: {sigma: [4.0]}\n"
			       "  Wavelet: {}\n";

static const char *const *preparation_of(struct teller *teller, size_t number, struct rs_error *err)
{
	const char *patient = story_patient(teller, number);
	return story_arguments(teller,
	                       ARGUMENTS("prepare", story_path(teller, "cohort/%s/study", patient), "-o",
	                                 story_path(teller, "prepared/%s", patient), "--pipeline",
	                                 story_path(teller, "pipeline.yaml"), "--mask",
	                                 story_path(teller, "cohort/%s/masks/reader1.dcm", patient),
	                                 "--threads", "1", "--home", teller->home, "--as", "researcher",
	                                 "--purpose", "research", "--quiet"),
	                       err);
}

enum rs_code tell_of_preparation(struct teller *teller, struct rs_error *err)
{
	size_t partly = 0;
	story_chapter(teller, "Preparation");
	RS_TRY(story_write(teller, story_path(teller, "pipeline.yaml"), pipeline, err));
	RS_TRY(rs_directory_make(teller->world, story_path(teller, "prepared"), err));
	RS_TRY(story_run_for_each(teller, teller->story->patients + 1, 0, preparation_of, &partly, err));
	story_say(
		teller,
		"Sequences were recognised; the apparent diffusion coefficient and the uptake of contrast agent "
		"were computed; sequences were registered to T2 and laid on one grid of 2 mm.");
	if (partly > 0)
		story_say(
			teller,
			"Of %zu patients something was left out, which prepared.json names: a registration that made "
			"things worse is refused, and the sequence stays where the scanner says.",
			partly);
	return RS_OK;
}

/* The box that a reader would draw around the tumour, in mm: here around the outline of the first reader. */
static enum rs_code box_of(const struct teller *teller, const char *path, char *out, size_t size,
                           struct rs_error *err)
{
	struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
	double least[3] = {INFINITY, INFINITY, INFINITY}, most[3] = {-INFINITY, -INFINITY, -INFINITY};
	RS_TRY(rs_mask_read(teller->world, path, &mask, err));
	const struct rs_geometry *g = &mask.geometry;
	for (size_t i = 0; i < rs_geometry_voxels(g); i++) {
		const double at[3] = {(double)(i % g->size[0]), (double)(i / g->size[0] % g->size[1]),
		                      (double)(i / g->size[0] / g->size[1])};
		for (unsigned d = 0; d < 3 && mask.labels[i]; d++) {
			double mm = g->origin_mm[d];
			for (unsigned k = 0; k < 3; k++)
				mm += g->direction[d][k] * g->spacing_mm[k] * at[k];
			least[d] = fmin(least[d], mm);
			most[d] = fmax(most[d], mm);
		}
	}
	if (!(least[0] <= most[0]))
		return rs_error_set(err, RS_REFUSED, "%s: the mask is empty", path);
	snprintf(out, size, "%.1f,%.1f,%.1f,%.1f,%.1f,%.1f", least[0] - BOX_MARGIN_MM,
	         least[1] - BOX_MARGIN_MM, least[2] - BOX_MARGIN_MM, most[0] + BOX_MARGIN_MM,
	         most[1] + BOX_MARGIN_MM, most[2] + BOX_MARGIN_MM);
	return RS_OK;
}

static const char *const *outline_of(struct teller *teller, size_t number, struct rs_error *err)
{
	const char *patient = story_patient(teller, number);
	char box[128];
	if (box_of(teller, story_path(teller, "prepared/%s/mask.nii.gz", patient), box, sizeof box, err) !=
	    RS_OK)
		return NULL;
	return story_arguments(
		teller,
		ARGUMENTS("segment", "grow", story_path(teller, "prepared/%s/T2.nii.gz", patient),
	                  story_path(teller, "prepared/%s/T1.nii.gz", patient),
	                  story_path(teller, "prepared/%s/DWI_b0800.nii.gz", patient),
	                  story_path(teller, "prepared/%s/DCE_04.nii.gz", patient),
	                  story_path(teller, "prepared/%s/DCE_10.nii.gz", patient), "--box",
	                  story_words(teller, "%s", box), "--mm", "-o",
	                  story_path(teller, "prepared/%s/tumour.nii.gz", patient), "--threads", "1",
	                  "--home", teller->home, "--as", "doctor", "--purpose", "treatment", "--quiet"),
		err);
}

static int rising(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Of what was grown, against what the first reader drew. */
static enum rs_code dice_of(struct teller *teller, size_t number, double *out, struct rs_error *err)
{
	struct rs_mask grown RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
	struct rs_mask drawn RS_CLEANUP(rs_mask_finish) = {.labels = NULL};
	struct rs_comparison found;
	const char *patient = story_patient(teller, number);
	RS_TRY(rs_mask_read(teller->world, story_path(teller, "prepared/%s/tumour.nii.gz", patient), &grown,
	                    err));
	RS_TRY(rs_mask_read(teller->world, story_path(teller, "prepared/%s/mask.nii.gz", patient), &drawn,
	                    err));
	RS_TRY(rs_masks_compare(&grown, &drawn, 1, 1, &found, err));
	*out = found.dice;
	return RS_OK;
}

enum rs_code tell_of_outlines(struct teller *teller, struct rs_error *err)
{
	double *dice = rs_arena_allocate_array(&teller->arena, teller->story->patients, sizeof *dice);
	size_t count = teller->story->patients;
	if (!dice)
		return rs_error_memory(err, count * sizeof *dice, "a comparison");
	story_chapter(teller, "Outlines");
	RS_TRY(story_run_for_each(teller, count + 1, 0, outline_of, NULL, err));
	for (size_t i = 0; i < count; i++)
		RS_TRY(dice_of(teller, i + 1, &dice[i], err));
	qsort(dice, count, sizeof *dice, rising);
	story_say(
		teller,
		"Each tumour was grown from a box around it, by how five sequences look inside and outside. "
		"Against the first reader's outline the median Dice coefficient is %.2f (a quarter below %.2f).",
		dice[count / 2], dice[count / 4]);
	return show_slices(teller, story_path(teller, "prepared/%s", story_patient(teller, 1)),
	                   story_path(teller, "prepared/%s/tumour.nii.gz", story_patient(teller, 1)), err);
}

/* A table of the cases from `first` on. */
static enum rs_code write_cases(struct teller *teller, const char *path, size_t first, size_t last,
                                struct rs_error *err)
{
	struct rs_buffer cases RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&cases, 1 << 20);
	rs_buffer_append_text(&cases, "ID,case,Image_t1,Image_t2,Image_adc,Image_washin,Mask\n");
	for (size_t i = first; i <= last; i++) {
		const char *in = story_path(teller, "prepared/%s", story_patient(teller, i));
		rs_buffer_printf(
			&cases,
			"%s,%s,%s/T1.nii.gz,%s/T2.nii.gz,%s/ADC.nii.gz,%s/DCE_wash_in.nii.gz,%s/tumour.nii.gz\n",
			story_patient(teller, i), story_patient(teller, i), in, in, in, in, in);
	}
	RS_TRY(rs_buffer_check(&cases, "a table", err));
	return rs_file_replace(teller->world, path, rs_buffer_bytes(&cases), 0644, err);
}

static enum rs_code extract(struct teller *teller, const char *name, size_t first, size_t last,
                            struct rs_error *err)
{
	const char *table = story_path(teller, "cases-%s.csv", name);
	RS_TRY(write_cases(teller, table, first, last, err));
	return story_run(teller, 0,
	                 ARGUMENTS("extract", "--home", teller->home, "--batch", table, "--params",
	                           story_path(teller, "settings.yaml"), "-o",
	                           story_path(teller, "features-%s.csv", name), "--quiet"),
	                 NULL, err);
}

/* Of the first line: names of features, which have a filter's name within. */
static size_t count_features(const struct rs_buffer *table)
{
	static const char *const filters[] = {"_original_", "_log-", "_wavelet-"};
	struct rs_str line, name, rest = rs_buffer_str(table);
	size_t count = 0;
	(void)rs_str_split(&rest, '\n', &line);
	while (rs_str_split(&line, ',', &name))
		for (size_t f = 0; f < RS_COUNT(filters); f++)
			count += memmem(name.data, name.size, filters[f], strlen(filters[f])) != NULL;
	return count;
}

enum rs_code tell_of_features(struct teller *teller, struct rs_error *err)
{
	struct rs_buffer table RS_CLEANUP(rs_buffer_finish) = {0};
	size_t patients = teller->story->patients;
	story_chapter(teller, "Radiomic features");
	RS_TRY(story_write(teller, story_path(teller, "settings.yaml"), settings, err));
	RS_TRY(extract(teller, "cohort", 1, patients, err));
	RS_TRY(extract(teller, "new", patients + 1, patients + 1, err));
	RS_TRY(rs_file_read_all(teller->world, story_path(teller, "features-new.csv"), CHILD_OUTPUT_MAX,
	                        &table, err));
	story_say(teller, "%zu features of each patient over four sequences; each vector is sealed.",
	          count_features(&table));
	return RS_OK;
}

static const char study[] = "title: %s\n"
			    "tables: [features-cohort.csv, cohort/clinical.csv]\n"
			    "id: case\n"
			    "target: {%s}\n"
			    "features:\n"
			    "  t1: [\"t1_original_*\", \"t1_log-*\", \"t1_wavelet-*\"]\n"
			    "  t2: [\"t2_original_*\", \"t2_log-*\", \"t2_wavelet-*\"]\n"
			    "  adc: [\"adc_original_*\", \"adc_log-*\", \"adc_wavelet-*\"]\n"
			    "  washin: [\"washin_original_*\", \"washin_log-*\", \"washin_wavelet-*\"]\n"
			    "clinical: [age, sex, ca19_9]\n"
			    "categorical: [sex]\n"
			    "volume: [t2_original_shape_MeshVolume]\n"
			    "centre: centre\n"
			    "steps: [impute: median, correlation: 0.9, keep: 20]\n"
			    "model: %s\n"
			    "seed: 1\n"
			    "synthetic: yes\n";

static enum rs_code train(struct teller *teller, const char *name, const char *title, const char *target,
                          const char *learner, struct rs_error *err)
{
	struct rs_buffer told RS_CLEANUP(rs_buffer_finish) = {0};
	const char *file = story_path(teller, "%s.yaml", name);
	char text[2048];
	snprintf(text, sizeof text, study, title, target, learner);
	RS_TRY(story_write(teller, file, text, err));
	RS_TRY(story_run(teller, 0,
	                 ARGUMENTS("train", file, "-o", story_path(teller, "%s.model", name), "--report",
	                           story_path(teller, "%s.html", name), "--home", teller->home, "--as",
	                           "researcher", "--purpose", "research", "--json"),
	                 &told, err));
	static const char key[] = "\"verdict\":\"";
	const char *at = memmem(told.data, told.size, key, sizeof key - 1);
	if (at)
		story_say(teller, "%.*s", (int)strcspn(at + sizeof key - 1, "\""), at + sizeof key - 1);
	return RS_OK;
}

enum rs_code tell_of_models(struct teller *teller, struct rs_error *err)
{
	static const char *const of_classes[] = {"Receiver", "Calibration", NULL};
	static const char *const of_survival[] = {"", NULL};
	story_chapter(teller, "Models, honestly validated");
	RS_TRY(train(teller, "stage", "Advanced or not", "class: {column: advanced}",
	             "{forest: {trees: 200}}", err));
	RS_TRY(train(teller, "survival", "Survival", "survival: {time: time_months, event: died}", "cox",
	             err));
	RS_TRY(show_figures(teller, story_path(teller, "stage.html"), of_classes, err));
	return show_figures(teller, story_path(teller, "survival.html"), of_survival, err);
}
