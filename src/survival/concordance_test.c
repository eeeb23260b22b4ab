/* Concordance against R's survival::concordance, and against counting all pairs. */
#include "numeric/numeric_reference.h"

#include "survival/survival_concordance.h"

struct study {
	struct rs_csv csv;
	struct rs_follow_up seen;
	double *time, *start, *risk;
	uint8_t *event;
	size_t *row;
};

/* Risk is sign × the column; rows where it is NA are left out. */
static void study_open(const char *file, const char *start, const char *time, const char *status,
                       double value, const char *risk, double sign, struct study *out)
{
	*out = (struct study){0};
	table_open(file, &out->csv);
	double *status_of = column_of(&out->csv, status);
	out->time = column_of(&out->csv, time);
	out->risk = column_of(&out->csv, risk);
	out->start = start ? column_of(&out->csv, start) : NULL;
	out->event = rs_allocate(out->csv.rows);
	out->row = rs_allocate_array(out->csv.rows, sizeof *out->row);
	size_t n = 0;
	for (size_t i = 0; i < out->csv.rows; i++) {
		if (isnan(out->risk[i]))
			continue;
		out->row[n] = i;
		out->event[n] = status_of[i] == value;
		out->time[n] = out->time[i];
		if (start)
			out->start[n] = out->start[i];
		out->risk[n++] = sign * out->risk[i];
	}
	rs_free(status_of);
	out->seen = (struct rs_follow_up){n, out->start, out->time, out->event, NULL};
}

static void study_finish(struct study *study)
{
	rs_free(study->time);
	rs_free(study->start);
	rs_free(study->risk);
	rs_free(study->event);
	rs_free(study->row);
	rs_csv_finish(&study->csv);
}

static void time_weights_are_those_of_r(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		struct rs_concordance_options options;
	} kinds[] = {
		{"n", {0}},
		{"S", {.weight = RS_CONCORDANCE_PETO}},
		{"S/G", {.weight = RS_CONCORDANCE_SCHEMPER}},
		{"n/G2", {.weight = RS_CONCORDANCE_UNO}},
		{"I", {.weight = RS_CONCORDANCE_INVERSE_AT_RISK}},
		{"uno_tau365", {.weight = RS_CONCORDANCE_UNO, .tau = 365}},
	};
	json_t *root = reference_open("concordance_lung_phkarno.json");
	struct study study;
	study_open("r_survival/lung.csv", NULL, "time", "status", 2, "ph.karno", -1, &study);
	for (size_t k = 0; k < RS_COUNT(kinds); k++) {
		struct rs_concordance found;
		/* The reference has JSON members with a slash in their names. */
		json_t *want = json_object_get(root, kinds[k].name);
		assert_int_equal(rs_concordance_of(&study.seen, study.risk, &kinds[k].options, &found, NULL),
		                 RS_OK);
		agrees(want, "c", found.c, 1e-12);
		agrees(want, "se", found.error, 1e-12);
		if (!json_object_get(want, "count"))
			continue;
		agrees(want, "count/concordant", found.concordant, 1e-12);
		agrees(want, "count/discordant", found.discordant, 1e-12);
		agrees(want, "count/tied.x", found.tied_risk, 1e-12);
		agrees(want, "count/tied.y", found.tied_event, 1e-12);
		agrees(want, "count/tied.xy", found.tied_both, 1e-12);
	}
	study_finish(&study);
	json_decref(root);
}

static void expect(const struct study *study, const struct rs_concordance_options *options, double c,
                   double error, double concordant, double tied)
{
	struct rs_concordance found;
	assert_int_equal(rs_concordance_of(&study->seen, study->risk, options, &found, NULL), RS_OK);
	near("c", found.c, c, 1e-12);
	near("error", found.error, error, 1e-12);
	near("concordant", found.concordant, concordant, 1e-12);
	near("tied", found.tied_risk, tied, 1e-12);
}

/* Values from R 4.2, survival 3.5-3; risk is minus what R calls x. */
static void weights_clusters_strata_and_late_entry(void **state)
{
	(void)state;
	struct study lung, heart, veteran;
	study_open("r_survival/lung.csv", NULL, "time", "status", 2, "age", -1, &lung);
	lung.seen.weight = column_of(&lung.csv, "sex");
	expect(&lung, &(struct rs_concordance_options){0}, 0.4548549879269649, 0.0268631064393675, 16222,
	       1087);
	rs_free((void *)(uintptr_t)lung.seen.weight);
	study_finish(&lung);
	study_open("r_survival/heart.csv", "start", "stop", "event", 1, "age", -1, &heart);
	double *id = column_of(&heart.csv, "id");
	uint32_t *cluster = rs_allocate_array(heart.csv.rows, sizeof *cluster);
	for (size_t i = 0; i < heart.csv.rows; i++)
		cluster[i] = (uint32_t)id[i];
	expect(&heart, &(struct rs_concordance_options){.cluster = cluster}, 0.4245408276167294,
	       0.0364389983088519, 1918, 1);
	rs_free(id);
	rs_free(cluster);
	study_finish(&heart);
	study_open("r_survival/veteran.csv", NULL, "time", "status", 1, "karno", -1, &veteran);
	double *cells = column_of(&veteran.csv, "celltype");
	uint32_t *stratum = rs_allocate_array(veteran.csv.rows, sizeof *stratum);
	for (size_t i = 0; i < veteran.csv.rows; i++)
		stratum[i] = (uint32_t)cells[i];
	expect(&veteran, &(struct rs_concordance_options){.stratum = stratum}, 0.6949411251635412,
	       0.0253173736831442, 1445, 297);
	rs_free(cells);
	rs_free(stratum);
	study_finish(&veteran);
}

/* By the definition: i has the event, j is seen then and longer. */
static void naive(const struct rs_follow_up *seen, const double *risk, struct rs_concordance *out)
{
	*out = (struct rs_concordance){0};
	for (size_t i = 0; i < seen->count; i++)
		for (size_t j = 0; j < seen->count; j++) {
			bool longer = seen->time[j] > seen->time[i] ||
			              (seen->time[j] == seen->time[i] && !seen->event[j]);
			if (i == j || !seen->event[i] || !longer ||
			    (seen->start && seen->start[j] >= seen->time[i]))
				continue;
			*(risk[i] > risk[j]   ? &out->concordant
			  : risk[i] < risk[j] ? &out->discordant
			                      : &out->tied_risk) += 1;
		}
}

static void small_worlds(void **state)
{
	(void)state;
	uint64_t seed = 7;
	for (size_t round = 0; round < 5000; round++) {
		double time[9], start[9], risk[9];
		uint8_t event[9];
		size_t n = 1 + round % 9;
		for (size_t i = 0; i < n; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			time[i] = (double)(1 + (seed >> 40) % 4);
			start[i] = (double)((seed >> 50) % 4) - 3;
			risk[i] = (double)((seed >> 33) % 3);
			event[i] = (seed >> 60) & 1;
		}
		struct rs_follow_up seen = {n, round & 1 ? start : NULL, time, event, NULL};
		struct rs_concordance found, want;
		naive(&seen, risk, &want);
		assert_int_equal(
			rs_concordance_of(&seen, risk, &(struct rs_concordance_options){0}, &found, NULL),
			RS_OK);
		assert_true(found.concordant == want.concordant && found.discordant == want.discordant &&
		            found.tied_risk == want.tied_risk);
		assert_true(isnan(found.c) || (found.c >= 0 && found.c <= 1));
	}
}

int main(void)
{
	if (!data_is_here())
		return 0;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_weights_are_those_of_r),
		cmocka_unit_test(weights_clusters_strata_and_late_entry),
		cmocka_unit_test(small_worlds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
