/* For tests of training: frames of noise without tables; steps and models as studies name them. */
#ifndef RS_VALIDATE_TEST_H
#define RS_VALIDATE_TEST_H

#include "base/base_random.h"
#include "numeric/numeric_reference.h"
#include "validate/validate.h"

#define NOISE_ROWS 250
#define NOISE_COLUMNS 1200
struct noise {
	struct rs_frame frame;
	struct rs_column columns[NOISE_COLUMNS];
	double numbers[NOISE_COLUMNS * NOISE_ROWS];
	const char *words[NOISE_COLUMNS * NOISE_ROWS];
	uint8_t outcome[NOISE_ROWS];
	double time[NOISE_ROWS];
	uint32_t subject[NOISE_ROWS];
	struct rs_digest digests[NOISE_ROWS];
};

static RS_UNUSED void noise_make(struct noise *noise, uint64_t seed)
{
	struct rs_stream stream = rs_stream_of(seed, 0);
	for (size_t k = 0; k < NOISE_COLUMNS * NOISE_ROWS; k++) {
		noise->numbers[k] = rs_stream_unit(&stream) + rs_stream_unit(&stream) - 1;
		noise->words[k] = "";
	}
	for (size_t c = 0; c < NOISE_COLUMNS; c++)
		noise->columns[c] = (struct rs_column){.name = "noise", .feature = true};
	for (size_t i = 0; i < NOISE_ROWS; i++) {
		noise->outcome[i] = rs_stream_unit(&stream) < 0.5;
		noise->time[i] = rs_stream_unit(&stream);
		noise->subject[i] = (uint32_t)i;
	}
	noise->frame = (struct rs_frame){.target = RS_TARGET_BINARY,
	                                 .classes = 2,
	                                 .rows = NOISE_ROWS,
	                                 .column_count = NOISE_COLUMNS,
	                                 .subject_count = NOISE_ROWS,
	                                 .columns = noise->columns,
	                                 .numbers = noise->numbers,
	                                 .words = noise->words,
	                                 .subject = noise->subject,
	                                 .outcome = noise->outcome,
	                                 .time = noise->time,
	                                 .digests = noise->digests};
}

/* Steps and model as study files name them. */
static RS_UNUSED void plan_read(const char *text, struct rs_study *out)
{
	char file[512];
	struct rs_error err;
	snprintf(
		file, sizeof file,
		"{tables: a.csv, id: x, centre: c, repeated: {table: r.csv}, clinical: [age], target: {%s}, %s}",
		strstr(text, "cox") ? "survival: {time: t, event: e}" : "class: {column: y}", text);
	if (rs_study_parse(rs_bytes_of_str(rs_str_from(file)), out, &err) != RS_OK)
		fail_msg("%s: %s", text, err.message);
}

static RS_UNUSED double noise_merit(const struct noise *noise, const char *text)
{
	struct rs_study study RS_CLEANUP(rs_study_finish) = {0};
	plan_read(text, &study);
	struct rs_contender contender RS_CLEANUP(rs_contender_finish) = {
		.name = "model", .frame = &noise->frame, .plan = &study.plan};
	struct rs_merit merit;
	assert_int_equal(rs_contenders_run(&contender, 1, &study, NULL, NULL, NULL), RS_OK);
	assert_int_equal(rs_merit_of(&contender, &study, &merit, NULL), RS_OK);
	return merit.value;
}

#endif
