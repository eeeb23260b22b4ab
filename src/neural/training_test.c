/* Losses, steps and whole trainings against PyTorch 1.13.0 (Debian, in double precision), which was given the same numbers;
 * files of networks, whole and broken. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "loss.h"
#include "neural/neural_train.h"

static float number(size_t n, size_t factor, size_t offset, size_t modulus)
{
	return (float)((double)((n * factor + offset) % modulus) / (double)modulus - 0.5);
}

static void assert_near(double found, double expected, double tolerance, const char *name)
{
	if (!(fabs(found - expected) <= tolerance))
		fail_msg("%s: %.9g in place of %.9g", name, found, expected);
}

static void losses(void **state)
{
	static const double three[] = {0.5, 2, 1.25}, two[] = {0.5, 2};
	static const struct {
		const char *name;
		struct rs_network_training training;
		struct rs_shape shape;
		double loss, slopes[4];
	} cases[] = {
		{"weights",
	         {.class_weights = three},
	         {3, {1, 1, 2}},
	         1.086930328,
	         {0.025977474, -0.022942344, 0.027738006, 0.011095203}},
		{"smoothing",
	         {.smoothing = 0.1},
	         {3, {1, 1, 2}},
	         1.100045082,
	         {0.023199696, -0.051800304, 0.024960229, 0.024960229}},
		{"sigmoid",
	         {.smoothing = 0.1, .class_weights = two},
	         {1, {1, 1, 2}},
	         0.9053478229,
	         {0.0045058437, 0.022466632, -0.13048881, 0.023123873}},
		{"overlap",
	         {.loss = RS_LOSS_OVERLAP},
	         {3, {1, 1, 2}},
	         1.689012908,
	         {0.033106433, -0.062185186, 0.042885629, 0.030116912}},
		{"overlap, a class missing",
	         {.loss = RS_LOSS_OVERLAP},
	         {3, {1, 1, 2}},
	         1.73651862,
	         {-0.062053952, -0.062053951, 0.037792562, 0.037792562}},
		{"Efron",
	         {.loss = RS_LOSS_EFRON},
	         {1, {1, 1, 1}},
	         2.224521789,
	         {-0.10966645, -0.06291436, 0.031119925, -0.058706722}},
		{"Breslow",
	         {.loss = RS_LOSS_BRESLOW},
	         {1, {1, 1, 1}},
	         2.282634711,
	         {-0.11018619, -0.055440967, 0.028580534, -0.050726847}},
	};
	const double time[] = {5, 3, 8, 3, 1, 8, 8, 2, 3, 9, 1, 4};
	const uint8_t event[] = {1, 1, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0};
	float values[36], slopes[36];
	uint32_t labels[12];
	struct moment order[12];
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		const struct truth truth = {labels, time, event};
		for (size_t k = 0; k < 36; k++)
			values[k] = 4 * number(k, 31, 5, 61);
		const bool missing = cases[i].shape.channels == 1 || strstr(cases[i].name, "missing");
		for (uint32_t k = 0; k < 12; k++)
			labels[k] = (k * 7 + 2) % 3 % (missing ? 2 : 3);
		const size_t batch = cases[i].training.loss >= RS_LOSS_EFRON ? 12 : 6;
		assert_near(
			loss_of(&cases[i].training, &cases[i].shape, values, batch, &truth, order, slopes),
			cases[i].loss, 1e-6, cases[i].name);
		for (size_t k = 0; k < 4; k++)
			assert_near((double)slopes[k], cases[i].slopes[k], 1e-7, cases[i].name);
	}
}

/* ---- trainings ---- */

struct rows {
	size_t columns;
	const float *values;
};

static enum rs_code fill_row(void *context, size_t index, struct rs_stream *augment, float *out,
                             struct rs_error *err)
{
	const struct rows *rows = context;
	(void)augment;
	(void)err;
	memcpy(out, rows->values + index * rows->columns, rows->columns * sizeof *out);
	return RS_OK;
}

/* Eight steps of AdamW on a linear model, with a schedule, decay of the weights alone and clipped gradients. */
static void steps(void **state)
{
	static const double expected[] = {-0.6957432162, 0.1337964165,  -0.0143664536, 0.2791364479,
	                                  0.1279151824,  -0.0204246077, -0.1687726221, 0.2189243189,
	                                  -0.1001857593, 0.1001857593};
	const struct rs_shape input = {4, {1, 1, 1}};
	const struct rs_layer layers[] = {{.kind = RS_LAYER_INPUT}, {.kind = RS_LAYER_DENSE, .channels = 2}};
	const struct rs_network_training training = {
		.epochs = 8, .rate = 0.05, .warm_up = 0.25, .decay = 0.1, .clip = 0.3};
	struct rs_network network;
	struct rs_error err;
	float x[24];
	uint32_t labels[6];
	struct rows rows = {4, x};
	const struct rs_samples samples = {6, fill_row, &rows, labels, NULL, NULL, NULL};
	(void)state;
	for (size_t i = 0; i < 24; i++)
		x[i] = 4 * number(i, 104729, 7, 997);
	for (uint32_t i = 0; i < 6; i++)
		labels[i] = i * 5 % 2;
	assert_int_equal(rs_network_create(&input, layers, 2, 1, &network, &err), RS_OK);
	for (size_t i = 0; i < 8; i++)
		network.weights[i] = number(i, 7919, 13, 1009);
	for (size_t i = 0; i < 2; i++)
		network.weights[8 + i] = number(i, 11, 3, 17);
	assert_int_equal(rs_network_train(&network, &samples, NULL, &training, NULL, &err), RS_OK);
	for (size_t i = 0; i < RS_COUNT(expected); i++)
		assert_near((double)network.weights[i], expected[i], 2e-6, "a weight");
	rs_network_finish(&network);
}

#define SIDE 8
#define PICTURES 96

/* Bright or dark squares at random places; the label tells which. */
struct pictures {
	float values[PICTURES][SIDE * SIDE];
	uint32_t labels[PICTURES];
};

static void pictures_draw(struct pictures *out, uint64_t seed)
{
	struct rs_stream stream = rs_stream_of(seed, 0);
	for (size_t n = 0; n < PICTURES; n++) {
		const size_t y = (size_t)rs_stream_below(&stream, SIDE - 2),
			     x = (size_t)rs_stream_below(&stream, SIDE - 2);
		out->labels[n] = (uint32_t)rs_stream_below(&stream, 2);
		for (size_t i = 0; i < SIDE * SIDE; i++)
			out->values[n][i] = (float)rs_stream_unit(&stream) - 0.5f;
		for (size_t i = 0; i < 9; i++)
			out->values[n][(y + i / 3) * SIDE + x + i % 3] += out->labels[n] ? 0.7f : -0.7f;
	}
}

static enum rs_code fill_picture(void *context, size_t index, struct rs_stream *augment, float *out,
                                 struct rs_error *err)
{
	const struct rs_augmentation change = {
		.shift = 1, .turn = 10, .grow = 0.1, .brightness = 0.05, .contrast = 0.1, .mirror = true};
	const struct rs_shape shape = {1, {1, SIDE, SIDE}};
	const struct pictures *pictures = context;
	(void)err;
	if (augment)
		rs_augment(&change, &shape, pictures->values[index], augment, out);
	else
		memcpy(out, pictures->values[index], sizeof pictures->values[index]);
	return RS_OK;
}

/* The same, with its label. */
static enum rs_code fill_both(void *context, size_t index, struct rs_stream *augment, float *out,
                              uint32_t *out_labels, struct rs_error *err)
{
	*out_labels = ((const struct pictures *)context)->labels[index];
	return fill_picture(context, index, augment, out, err);
}

static enum rs_code note_loss(void *context, uint32_t epoch, double loss, double validation_loss)
{
	double *lowest = context;
	(void)epoch;
	(void)loss;
	*lowest = fmin(*lowest, validation_loss);
	return RS_OK;
}

static void small_network(struct rs_network *out)
{
	const struct rs_shape input = {1, {1, SIDE, SIDE}};
	const struct rs_layer layers[] = {
		{.kind = RS_LAYER_INPUT},
		{.kind = RS_LAYER_CONVOLUTION,
	         .from = 0,
	         .channels = 8,
	         .kernel = {1, 3, 3},
	         .stride = {1, 1, 1},
	         .padding = {0, 1, 1}},
		{.kind = RS_LAYER_NORMALISE, .from = 1},
		{.kind = RS_LAYER_ACTIVATION, .from = 2},
		{.kind = RS_LAYER_MAXIMUM, .from = 3, .kernel = {1, 8, 8}, .stride = {1, 1, 1}},
		{.kind = RS_LAYER_DROPOUT, .from = 4, .rate = 0.1},
		{.kind = RS_LAYER_DENSE, .from = 5, .channels = 1},
	};
	struct rs_error err;
	assert_int_equal(rs_network_create(&input, layers, RS_COUNT(layers), 3, out, &err), RS_OK);
}

/* Learns what there is to learn, keeps the epoch of the lowest validation loss, and has the same bits for any threads and
 * for labels that samples tell. */
static void learns(void **state)
{
	static struct pictures seen, unseen;
	const struct rs_samples samples[] = {
		{PICTURES, fill_picture, &seen, seen.labels, NULL, NULL, NULL},
		{PICTURES, NULL, &seen, NULL, NULL, NULL, fill_both},
	};
	const struct rs_samples validation = {PICTURES, fill_picture, &unseen, unseen.labels,
	                                      NULL,     NULL,         NULL};
	struct rs_network networks[2];
	float said[PICTURES];
	struct moment order[PICTURES];
	struct rs_error err;
	(void)state;
	pictures_draw(&seen, 1);
	pictures_draw(&unseen, 2);
	for (unsigned n = 0; n < 2; n++) {
		struct rs_pool *pool = NULL;
		double lowest = INFINITY;
		const struct rs_network_training training = {.epochs = 30,
		                                             .batch = 20,
		                                             .rate = 0.02,
		                                             .warm_up = 0.1,
		                                             .decay = 0.01,
		                                             .clip = 1,
		                                             .average = 0.9,
		                                             .patience = 10,
		                                             .seed = 7,
		                                             .progress = note_loss,
		                                             .progress_context = &lowest};
		assert_int_equal(n ? rs_pool_create(3, &pool, &err) : RS_OK, RS_OK);
		small_network(&networks[n]);
		assert_int_equal(
			rs_network_train(&networks[n], &samples[n], &validation, &training, pool, &err),
			RS_OK);
		assert_int_equal(rs_network_judge(&networks[n], &validation, pool, said, &err), RS_OK);
		const struct truth truth = {unseen.labels, NULL, NULL};
		const double loss = loss_of(&training, rs_network_output(&networks[n]), said, PICTURES,
		                            &truth, order, NULL);
		assert_memory_equal(&loss, &lowest, sizeof loss);
		rs_pool_destroy(pool);
	}
	size_t right = 0;
	for (size_t i = 0; i < PICTURES; i++)
		right += (said[i] > 0) == (unseen.labels[i] == 1);
	assert_true(right > PICTURES * 9 / 10);
	assert_memory_equal(networks[0].weights, networks[1].weights,
	                    rs_network_weights(&networks[0]) * sizeof(float));
	for (unsigned n = 0; n < 2; n++)
		rs_network_finish(&networks[n]);
}

static void refusals(void **state)
{
	static struct pictures seen;
	uint32_t labels[PICTURES] = {0, 2};
	const double time[PICTURES] = {0};
	const uint8_t event[PICTURES] = {0};
	const struct rs_network_training training = {.epochs = 1, .rate = 0.1},
					 survival = {.loss = RS_LOSS_EFRON, .epochs = 1, .rate = 0.1},
					 wild = {.epochs = 3, .rate = 1e30};
	const struct rs_samples none = {0, fill_picture, &seen, seen.labels, NULL, NULL, NULL},
				beyond = {PICTURES, fill_picture, &seen, labels, NULL, NULL, NULL},
				still = {PICTURES, fill_picture, &seen, NULL, time, event, NULL},
				good = {PICTURES, fill_picture, &seen, seen.labels, NULL, NULL, NULL};
	const struct {
		const struct rs_samples *samples;
		const struct rs_network_training *training;
		enum rs_code code;
		const char *tells;
	} cases[] = {{&none, &training, RS_USAGE, "no samples"},
	             {&beyond, &training, RS_USAGE, "label 2 of 1 "},
	             {&still, &survival, RS_NOT_FOUND, "no event"},
	             {&good, &survival, RS_USAGE, "times and events"},
	             {&good, &wild, RS_UNSUPPORTED, "lower learning rate"}};
	(void)state;
	pictures_draw(&seen, 1);
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		struct rs_network network;
		struct rs_error err = {0};
		small_network(&network);
		assert_int_equal(
			rs_network_train(&network, cases[i].samples, NULL, cases[i].training, NULL, &err),
			cases[i].code);
		assert_non_null(strstr(err.message, cases[i].tells));
		rs_network_finish(&network);
	}
}

/* ---- files ---- */

static void written_and_read(void **state)
{
	static struct pictures seen;
	struct rs_network network, again;
	struct rs_buffer file, copy;
	struct rs_cbor_reader reader;
	struct rs_error err;
	float said[2][PICTURES];
	(void)state;
	pictures_draw(&seen, 1);
	small_network(&network);
	rs_buffer_init(&file, 1 << 20);
	rs_buffer_init(&copy, 1 << 20);
	rs_network_write(&network, &file);
	assert_int_equal(rs_cbor_reader_init(&reader, rs_buffer_bytes(&file), &err), RS_OK);
	assert_int_equal(rs_network_read(&reader, &again, &err), RS_OK);
	rs_network_write(&again, &copy);
	assert_int_equal(file.size, copy.size);
	assert_memory_equal(file.data, copy.data, file.size);
	assert_int_equal(rs_network_apply(&network, seen.values[0], PICTURES, NULL, said[0], &err), RS_OK);
	assert_int_equal(rs_network_apply(&again, seen.values[0], PICTURES, NULL, said[1], &err), RS_OK);
	assert_memory_equal(said[0], said[1], sizeof said[0]);
	rs_network_finish(&again);
	/* Every byte changed: another network, or a sentence. */
	for (size_t i = 0; i < file.size; i++) {
		struct rs_error told = {0};
		const uint8_t kept = file.data[i];
		file.data[i] ^= 0x41;
		if (rs_cbor_reader_init(&reader, rs_buffer_bytes(&file), &told) == RS_OK &&
		    rs_network_read(&reader, &again, &told) == RS_OK)
			rs_network_finish(&again);
		else
			assert_true(told.message[0] != 0);
		file.data[i] = kept;
	}
	rs_buffer_finish(&file);
	rs_buffer_finish(&copy);
	rs_network_finish(&network);
}

static void broken_files(void **state)
{
	static const struct {
		size_t layer;
		uint32_t channels;
		float weight;
		const char *tells;
	} cases[] = {{1, 8, NAN, "not finite"}, {1, 9, 0, "bytes, its layers have"}, {2, 5, 0, "5 groups"}};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		struct rs_network network, again = {0};
		struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
		struct rs_cbor_reader reader;
		struct rs_error err = {0};
		small_network(&network);
		network.layers[cases[i].layer].channels = cases[i].channels;
		network.weights[3] = cases[i].weight;
		rs_buffer_init(&file, 1 << 20);
		rs_network_write(&network, &file);
		assert_int_equal(rs_cbor_reader_init(&reader, rs_buffer_bytes(&file), &err), RS_OK);
		assert_int_not_equal(rs_network_read(&reader, &again, &err), RS_OK);
		assert_non_null(strstr(err.message, cases[i].tells));
		assert_null(again.layers);
		rs_network_finish(&network);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(losses),           cmocka_unit_test(steps),
		cmocka_unit_test(learns),           cmocka_unit_test(refusals),
		cmocka_unit_test(written_and_read), cmocka_unit_test(broken_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
