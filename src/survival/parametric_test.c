/* Parametric models of times against survreg of R's survival 3.5.3, at rel.tolerance = 1e-12. */
#include "numeric/numeric_reference.h"

#include "survival/survival_parametric.h"

#define TOLERANCE 1e-8

struct study {
	struct rs_csv csv;
	size_t count; /* rows with an ECOG state, first; then those without */
	double *lower, *upper, *x, *weight;
};

/* interval: each third death is known by its hundred days only, and rows weigh 1 and 2 in turn. columns: age, sex, ECOG */
static void lung_open(struct study *out, bool interval, size_t columns)
{
	table_open("r_survival/lung.csv", &out->csv);
	size_t n = out->csv.rows;
	double *time = column_of(&out->csv, "time"), *status = column_of(&out->csv, "status");
	double *x[3] = {column_of(&out->csv, "age"), column_of(&out->csv, "sex"),
	                column_of(&out->csv, "ph.ecog")};
	out->lower = rs_allocate_array(n, sizeof(double));
	out->upper = rs_allocate_array(n, sizeof(double));
	out->weight = rs_allocate_array(n, sizeof(double));
	out->x = rs_allocate_array(n, columns * sizeof(double));
	out->count = 0;
	for (size_t i = 0; i < n; i++) {
		size_t k = out->count;
		if (columns == 3 && isnan(x[2][i]))
			continue;
		bool died = status[i] == 2, rough = interval && died && (i + 1) % 3 == 0;
		out->lower[k] = rough ? floor(time[i] / 100) * 100 : time[i];
		out->upper[k] = rough ? out->lower[k] + 100 : died ? time[i] : INFINITY;
		if (out->lower[k] == 0)
			out->lower[k] = -INFINITY;
		out->weight[k] = interval ? 1 + (double)(i % 2) : 1;
		for (size_t j = 0; j < columns; j++)
			out->x[k * columns + j] = x[j][i];
		out->count++;
	}
	rs_free(time);
	rs_free(status);
	for (size_t j = 0; j < 3; j++)
		rs_free(x[j]);
}

static void study_finish(struct study *study)
{
	rs_free(study->lower);
	rs_free(study->upper);
	rs_free(study->x);
	rs_free(study->weight);
	rs_csv_finish(&study->csv);
}

/* coefficients, scale, log likelihoods, standard errors (that of the log scale last; 0: fixed) */
struct expected {
	enum rs_parametric_distribution distribution;
	double coefficients[4], scale, log_likelihood[2], errors[5];
};

static void agree(const struct study *study, size_t columns, const struct expected *expected)
{
	const struct rs_parametric_data data = {study->count, columns,  study->lower,
	                                        study->upper, study->x, study->weight};
	struct rs_parametric_model model;
	size_t all = columns + 2;
	assert_int_equal(rs_parametric_fit(&data, expected->distribution, &model, NULL), RS_OK);
	assert_true(model.converged);
	for (size_t j = 0; j <= columns; j++) {
		near("coefficient", model.coefficients[j], expected->coefficients[j], TOLERANCE);
		near("error", sqrt(model.variance[j * (all + 1)]), expected->errors[j], TOLERANCE);
	}
	near("error of the log scale", sqrt(model.variance[all * all - 1]), expected->errors[columns + 1],
	     TOLERANCE);
	near("scale", model.scale, expected->scale, TOLERANCE);
	for (size_t i = 0; i < 2; i++)
		near("log likelihood", model.log_likelihood[i], expected->log_likelihood[i], TOLERANCE);
	rs_parametric_model_finish(&model);
}

static void all_distributions_agree(void **state)
{
	(void)state;
	static const struct expected expected[] = {
		{RS_PARAMETRIC_WEIBULL,
	         {6.27343525199845, -0.00747543940914451, 0.40109054119345, -0.339638098308773},
	         0.731108992164631,
	         {-1147.4280568733, -1132.43874588232},
	         {0.453577710810902, 0.00676350766753494, 0.123732566515343, 0.0834784150300719,
	          0.0613464552614205}},
		{RS_PARAMETRIC_EXPONENTIAL,
	         {6.37342319823116, -0.0102173605936676, 0.509061399784426, -0.405016989979724},
	         1,
	         {-1156.12326446575, -1143.56315131318},
	         {0.620755101308641, 0.00917689478207216, 0.167161189276685, 0.112697455095761, 0}},
		{RS_PARAMETRIC_LOG_NORMAL,
	         {6.49478672654724, -0.0191818680868148, 0.521952878521414, -0.355566670332354},
	         1.02863458188576,
	         {-1163.17598441688, -1146.88183108603},
	         {0.582756276146916, 0.00832785746307169, 0.152775382448477, 0.103308253019471,
	          0.0559606245492043}},
		{RS_PARAMETRIC_LOG_LOGISTIC,
	         {5.93668692063805, -0.00807991943085238, 0.486623570899021, -0.404615511571999},
	         0.536141504276293,
	         {-1154.54917931852, -1137.48961226949},
	         {0.512072660151648, 0.00747790705754958, 0.13489414783419, 0.0930137194020922,
	          0.0658133653780304}},
		{RS_PARAMETRIC_NORMAL,
	         {424.503720651177, -1.97789816273017, 114.522936533118, -94.7687006352146},
	         232.799217766611,
	         {-1178.7508822048, -1163.98765874738},
	         {132.490068311304, 1.89257233726891, 34.8704135840728, 23.5306211013186,
	          0.0554628958519773}},
		{RS_PARAMETRIC_LOGISTIC,
	         {344.71664369936, -1.25370245308564, 127.08509616171, -99.3005124698565},
	         130.928026036775,
	         {-1179.80246717217, -1163.02877609502},
	         {128.838260579764, 1.85325321564451, 34.4818110429114, 22.9336293601028,
	          0.0644538843341757}},
		{RS_PARAMETRIC_EXTREME,
	         {571.822621728154, -1.78060488274931, 117.019327613392, -126.216601542183},
	         253.963803411852,
	         {-1213.06473799025, -1198.99308967084},
	         {157.86346358922, 2.34959430581869, 42.8727827438647, 28.701558093757, 0.0526871155316858}},
		{RS_PARAMETRIC_RAYLEIGH,
	         {6.24949700423676, -0.0051408694252356, 0.29139669283068, -0.271530415221788},
	         0.5,
	         {-1174.52610528632, -1155.96480441651},
	         {0.3103784046523, 0.0046585959507585, 0.0836185230170574, 0.056661487872301, 0}},
	};
	struct study study;
	lung_open(&study, false, 3);
	for (size_t i = 0; i < RS_COUNT(expected); i++)
		agree(&study, 3, &expected[i]);
	study_finish(&study);
}

static void intervals_and_weights_agree(void **state)
{
	(void)state;
	static const struct expected expected[] = {
		{RS_PARAMETRIC_WEIBULL,
	         {5.84720902975295, -0.00716540261549272, 0.423106612291021},
	         0.744640979849052,
	         {-1331.43242564085, -1320.72468643325},
	         {0.384997411181418, 0.00552006609466204, 0.101979002016753, 0.0511819779682934}},
		{RS_PARAMETRIC_LOG_NORMAL,
	         {5.88067677901837, -0.0161812246858086, 0.539958006786154},
	         0.938513718417352,
	         {-1340.80279229804, -1324.31876775989},
	         {0.43142422535065, 0.00609746097512784, 0.112944011139029, 0.0479789851213122}},
		{RS_PARAMETRIC_LOG_LOGISTIC,
	         {5.57254008626583, -0.0101301639169669, 0.507812218513213},
	         0.530251640602272,
	         {-1335.51976743544, -1322.13653961684},
	         {0.406932667458488, 0.00588232160880117, 0.107689102173271, 0.0548241723482157}},
		{RS_PARAMETRIC_NORMAL,
	         {298.103287678136, -2.10234898596971, 129.422089955198},
	         242.997602471489,
	         {-1374.38883243969, -1362.95856873858},
	         {112.023496453697, 1.58270431183349, 29.3806642072421, 0.047613607177622}},
	};
	struct study study;
	lung_open(&study, true, 2);
	for (size_t i = 0; i < RS_COUNT(expected); i++)
		agree(&study, 2, &expected[i]);
	study_finish(&study);
}

/* survreg.json stopped at R's own tolerance. */
static void reference_agrees(void **state)
{
	(void)state;
	json_t *root = reference_open("survreg.json");
	static const char *const names[] = {"lung_weibull", "lung_lognormal"};
	static const char *const columns[] = {"(Intercept)", "age", "sex", "ph.ecog"};
	struct study study;
	lung_open(&study, false, 3);
	const struct rs_parametric_data data = {study.count, 3, study.lower, study.upper, study.x, NULL};
	for (size_t d = 0; d < RS_COUNT(names); d++) {
		struct rs_parametric_model model;
		char path[64];
		assert_int_equal(rs_parametric_fit(&data,
		                                   d ? RS_PARAMETRIC_LOG_NORMAL : RS_PARAMETRIC_WEIBULL,
		                                   &model, NULL),
		                 RS_OK);
		for (size_t j = 0; j < RS_COUNT(columns); j++) {
			snprintf(path, sizeof path, "%s/coef/%s", names[d], columns[j]);
			agrees(root, path, model.coefficients[j], 1e-7);
			snprintf(path, sizeof path, "%s/se/%zu", names[d], j);
			agrees(root, path, sqrt(model.variance[j * 6]), TOLERANCE);
		}
		snprintf(path, sizeof path, "%s/loglik/1", names[d]);
		agrees(root, path, model.log_likelihood[1], 1e-12);
		rs_parametric_model_finish(&model);
	}
	study_finish(&study);
	json_decref(root);
}

/* predict(type = "uquantile", se.fit = TRUE) at age 60, sex 1, ECOG 1. */
static void quantiles_agree(void **state)
{
	(void)state;
	static const struct {
		enum rs_parametric_distribution distribution;
		double y[3], error[3]; /* of 10, 50 and 90 % */
	} expected[] = {
		{RS_PARAMETRIC_WEIBULL,
	         {4.24109754166284, 5.61840043835268, 6.49612995081229},
	         {0.1309340663877384, 0.0767122808277648, 0.0784764679387294}},
		{RS_PARAMETRIC_LOG_NORMAL,
	         {4.19201259073840, 5.51026084952741, 6.82850910831642},
	         {0.1152475323178191, 0.0963711172709603, 0.1271881101553366}},
		{RS_PARAMETRIC_LOG_LOGISTIC,
	         {4.35587652398804, 5.53389981411392, 6.71192310423981},
	         {0.1114162156699768, 0.0840975688060517, 0.1172728900584740}},
	};
	static const double x[] = {60, 1, 1}, p[] = {0.1, 0.5, 0.9}, z = 1.959963984540054;
	struct study study;
	lung_open(&study, false, 3);
	const struct rs_parametric_data data = {study.count, 3, study.lower, study.upper, study.x, NULL};
	for (size_t d = 0; d < RS_COUNT(expected); d++) {
		struct rs_parametric_model model;
		assert_int_equal(rs_parametric_fit(&data, expected[d].distribution, &model, NULL), RS_OK);
		for (size_t q = 0; q < RS_COUNT(p); q++) {
			double time, lower, upper;
			rs_parametric_quantile(&model, x, p[q], 0.95, &time, &lower, &upper);
			near("quantile", log(time), expected[d].y[q], TOLERANCE);
			near("lower", log(lower), expected[d].y[q] - z * expected[d].error[q], TOLERANCE);
			near("upper", log(upper), expected[d].y[q] + z * expected[d].error[q], TOLERANCE);
			near("survival", rs_parametric_survival(&model, x, time), 1 - p[q], TOLERANCE);
		}
		rs_parametric_model_finish(&model);
	}
	study_finish(&study);
}

static void odd_data_have_a_sentence(void **state)
{
	(void)state;
	static const double inf = INFINITY;
	const struct {
		double lower[3], upper[3];
		enum rs_code code;
		const char *sentence;
	} cases[] = {
		{{1, 2, 3}, {inf, inf, inf}, RS_NOT_FOUND, "all 3 subjects are censored on the right"},
		{{-inf, 0, -inf}, {1, 2, 3}, RS_NOT_FOUND, "all 3 subjects are censored on the left"},
		{{1, NAN, 3}, {1, 2, 3}, RS_MALFORMED, "row 2: no time between nan and 2"},
		{{1, 2, 3}, {1, 1, 3}, RS_MALFORMED, "row 2: no time between 2 and 1"},
		{{1, 2, -3}, {1, 2, -3}, RS_MALFORMED, "row 3: the time is not positive"},
		{{1, 2, -inf}, {1, 2, inf}, RS_MALFORMED, "row 3: no time between -inf and inf"},
		{{0, 2, 3}, {0, 2, 3}, RS_MALFORMED, "row 1: the time is not positive"},
		{{5, 5, 5}, {5, 5, 5}, RS_OK, ""}, /* no spread: the scale goes to 0, and that is told */
		{{1, 2, 4}, {1, 2, 4}, RS_OK, ""},
	};
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		const struct rs_parametric_data data = {3, 0, cases[i].lower, cases[i].upper, NULL, NULL};
		struct rs_parametric_model model = {0};
		struct rs_error err = {0};
		assert_int_equal(rs_parametric_fit(&data, RS_PARAMETRIC_WEIBULL, &model, &err),
		                 cases[i].code);
		if (cases[i].code != RS_OK)
			assert_string_equal(err.message, cases[i].sentence);
		else
			assert_int_equal(model.converged, cases[i].lower[0] != cases[i].lower[1]);
		rs_parametric_model_finish(&model);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_distributions_agree),  cmocka_unit_test(intervals_and_weights_agree),
		cmocka_unit_test(reference_agrees),         cmocka_unit_test(quantiles_agree),
		cmocka_unit_test(odd_data_have_a_sentence),
	};
	if (!data_is_here())
		return 0;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
