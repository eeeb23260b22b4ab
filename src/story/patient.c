/* What the models say of one who is new. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base_csv.h"
#include "plot/plot.h"
#include "teller.h"

static const unsigned months[] = {1, 2, 3, 4, 6, 9, 12, 15, 18, 24};

static enum rs_code read_table(struct teller *teller, const char *path, struct rs_csv *out,
                               struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	RS_TRY(rs_file_read_all(teller->world, path, CHILD_OUTPUT_MAX, &file, err));
	RS_TRY(rs_csv_parse(rs_buffer_bytes(&file), out, err));
	return out->rows > 0 ? RS_OK : rs_error_set(err, RS_MALFORMED, "%s: nobody is in it", path);
}

/* NaN where the first row has none. */
static double number_of(const struct rs_csv *table, const char *name)
{
	size_t column = rs_csv_column(table, name);
	double value;
	return column != RS_CSV_NO_COLUMN && rs_parse_f64(rs_str_from(rs_csv_cell(table, 0, column)), &value)
	               ? value
	               : NAN;
}

static const char *text_of(const struct rs_csv *table, const char *name)
{
	size_t column = rs_csv_column(table, name);
	return column != RS_CSV_NO_COLUMN ? rs_csv_cell(table, 0, column) : "";
}

static enum rs_code tell_of_stage(struct teller *teller, struct rs_error *err)
{
	struct rs_csv table RS_CLEANUP(rs_csv_finish) = {0};
	const char *out = story_path(teller, "predicted-stage.csv");
	RS_TRY(story_run(teller, 0,
	                 ARGUMENTS("predict", story_path(teller, "stage.model"),
	                           story_path(teller, "features-new.csv"),
	                           story_path(teller, "cohort/clinical.csv"), "-o", out, "--home",
	                           teller->home, "--as", "doctor", "--purpose", "treatment", "--quiet"),
	                 NULL, err));
	RS_TRY(read_table(teller, out, &table, err));
	story_say(
		teller,
		"%s: advanced with probability %.2f; with 90 %% coverage the classes that hold: %s. What weighs most: "
		"%s (%.3g).",
		text_of(&table, "id"), number_of(&table, "probability"), text_of(&table, "set"),
		text_of(&table, "reason_1"), number_of(&table, "reason_1_value"));
	return RS_OK;
}

/* From 1 at the beginning. */
static void draw_curve(struct teller *teller, const struct rs_csv *table)
{
	double time[RS_COUNT(months) + 1] = {0}, value[RS_COUNT(months) + 1] = {1};
	double lower[RS_COUNT(months) + 1] = {1}, upper[RS_COUNT(months) + 1] = {1};
	for (size_t i = 0; i < RS_COUNT(months); i++) {
		time[i + 1] = months[i];
		value[i + 1] = number_of(table, story_words(teller, "survival_%u", months[i]));
		lower[i + 1] = number_of(table, story_words(teller, "survival_%u_lower", months[i]));
		upper[i + 1] = number_of(table, story_words(teller, "survival_%u_upper", months[i]));
	}
	const struct rs_chart_layer layers[] = {
		{.mark = RS_MARK_BAND,
	         .colour = 1,
	         .count = RS_COUNT(time),
	         .x = time,
	         .lower = lower,
	         .upper = upper},
		{.mark = RS_MARK_LINE, .colour = 1, .count = RS_COUNT(time), .x = time, .y = value},
	};
	const struct rs_chart chart = {
		.id = "predicted-survival",
		.title = "Predicted survival",
		.description = "The share expected to live, by months, with a 95 % interval.",
		.x = {"Months", 0, NAN},
		.y = {"Survival", 0, 1},
		.layers = layers,
		.layer_count = RS_COUNT(layers)};
	rs_buffer_append_text(&teller->page, "<figure class=\"square\"><h3>Predicted survival</h3>\n");
	rs_chart_draw(&teller->page, &chart);
	rs_buffer_append_text(&teller->page,
	                      "<figcaption>Of the new patient; the band is the 95 % interval for those "
	                      "with this risk.</figcaption></figure>\n");
}

static enum rs_code tell_of_survival(struct teller *teller, struct rs_error *err)
{
	struct rs_csv table RS_CLEANUP(rs_csv_finish) = {0};
	const char *out = story_path(teller, "predicted-survival.csv");
	const char *words[CHILD_ARGUMENTS_MAX + 1] = {"predict",
	                                              story_path(teller, "survival.model"),
	                                              story_path(teller, "features-new.csv"),
	                                              story_path(teller, "cohort/clinical.csv"),
	                                              "-o",
	                                              out,
	                                              "--home",
	                                              teller->home,
	                                              "--as",
	                                              "doctor",
	                                              "--purpose",
	                                              "treatment",
	                                              "--quiet"};
	size_t count = 0;
	while (words[count])
		count++;
	for (size_t i = 0; i < RS_COUNT(months); i++) {
		words[count++] = "--horizon";
		words[count++] = story_words(teller, "%u", months[i]);
	}
	RS_TRY(story_run(teller, 0, words, NULL, err));
	RS_TRY(read_table(teller, out, &table, err));
	story_say(teller, "Alive after 12 months with probability %.2f (95 %% interval %.2f to %.2f).",
	          number_of(&table, "survival_12"), number_of(&table, "survival_12_lower"),
	          number_of(&table, "survival_12_upper"));
	draw_curve(teller, &table);
	return RS_OK;
}

enum rs_code tell_of_patient(struct teller *teller, struct rs_error *err)
{
	story_chapter(teller, "A new patient");
	RS_TRY(tell_of_stage(teller, err));
	return tell_of_survival(teller, err);
}
