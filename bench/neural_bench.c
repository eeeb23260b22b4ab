/* Convolutions of networks: `neural_bench` prints how fast they are in one thread, `neural_bench dump THREADS` the weights of
 * small networks after training, for tests/system/same_bits.sh. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "neural/neural_train.h"

#define TURNS 9
#define SAMPLES 24

static double seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void check(enum rs_code code, const struct rs_error *err)
{
	if (code == RS_OK)
		return;
	fprintf(stderr, "neural_bench: %s\n", err->message);
	exit(1);
}

struct cubes {
	size_t values;
	const float *x;
};

static enum rs_code fill(void *context, size_t index, struct rs_stream *augment, float *out,
                         struct rs_error *err)
{
	const struct cubes *cubes = context;
	(void)augment;
	(void)err;
	memcpy(out, cubes->x + index * cubes->values, cubes->values * sizeof *out);
	return RS_OK;
}

static int ascending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* One step of training: forward, and back to weights and values. 3 x 3 or 3 x 3 x 3. */
static void measure(const char *name, uint32_t batch, uint32_t channels, const uint32_t size[3])
{
	const uint32_t depth = size[0] > 1 ? 3 : 1;
	const struct rs_shape input = {channels, {size[0], size[1], size[2]}};
	const struct rs_layer layers[] = {
		{.kind = RS_LAYER_INPUT},
		{.kind = RS_LAYER_ACTIVATION},
		{.kind = RS_LAYER_CONVOLUTION,
	         .from = 1,
	         .channels = channels,
	         .kernel = {depth, 3, 3},
	         .stride = {1, 1, 1},
	         .padding = {depth / 2, 1, 1}},
		{.kind = RS_LAYER_AVERAGE, .from = 2},
		{.kind = RS_LAYER_DENSE, .from = 3, .channels = 1},
	};
	const size_t values = rs_shape_values(&input);
	float *x = rs_allocate_array(batch, values * sizeof *x), *out = rs_allocate_array(batch, sizeof *out);
	uint32_t *labels = rs_allocate_array(batch, sizeof *labels);
	struct cubes cubes = {values, x};
	const struct rs_samples samples = {batch, fill, &cubes, labels, NULL, NULL, NULL};
	const struct rs_network_training training = {.epochs = 1, .rate = 1e-3};
	struct rs_network network;
	struct rs_error err;
	double forward[TURNS], whole[TURNS];
	if (!x || !out || !labels)
		exit(1);
	for (size_t i = 0; i < batch * values; i++)
		x[i] = (float)(i * 7919 % 997) / 997 - 0.5f;
	check(rs_network_create(&input, layers, RS_COUNT(layers), 1, &network, &err), &err);
	for (int turn = 0; turn < TURNS; turn++) {
		double from = seconds();
		check(rs_network_apply(&network, x, batch, NULL, out, &err), &err);
		forward[turn] = seconds() - from;
		from = seconds();
		check(rs_network_train(&network, &samples, NULL, &training, NULL, &err), &err);
		whole[turn] = seconds() - from;
	}
	qsort(forward, TURNS, sizeof *forward, ascending);
	qsort(whole, TURNS, sizeof *whole, ascending);
	const double work = 2e-9 * batch * channels * channels * 9 * depth *
	                    (double)rs_shape_positions(&input);
	printf("%-34s applied %6.1f GFLOP/s, trained %6.1f GFLOP/s\n", name, work / forward[TURNS / 2],
	       3 * work / whole[TURNS / 2]);
	rs_network_finish(&network);
	rs_free(x);
	rs_free(out);
	rs_free(labels);
}

/* Every kind of layer in one network of volumes; the loss of `outputs` classes, or of survival. */
static void dump(struct rs_pool *pool, enum rs_loss loss, uint32_t outputs)
{
	const struct rs_shape input = {2, {4, 6, 8}};
	const struct rs_layer layers[] = {
		{.kind = RS_LAYER_INPUT},
		{.kind = RS_LAYER_CONVOLUTION,
	         .channels = 5,
	         .kernel = {3, 3, 3},
	         .stride = {1, 1, 1},
	         .padding = {1, 1, 1}},
		{.kind = RS_LAYER_NORMALISE, .from = 1},
		{.kind = RS_LAYER_ACTIVATION, .from = 2, .activation = RS_GELU},
		{.kind = RS_LAYER_MAXIMUM, .from = 3, .kernel = {2, 2, 2}, .stride = {2, 2, 2}},
		{.kind = RS_LAYER_TRANSPOSED,
	         .from = 4,
	         .channels = 5,
	         .kernel = {2, 2, 2},
	         .stride = {2, 2, 2}},
		{.kind = RS_LAYER_ADD, .from = 5, .also = 3},
		{.kind = RS_LAYER_JOIN, .from = 6, .also = 1},
		{.kind = RS_LAYER_CONVOLUTION,
	         .from = 7,
	         .channels = 6,
	         .kernel = {2, 3, 3},
	         .stride = {2, 2, 1}},
		{.kind = RS_LAYER_NORMALISE, .from = 8, .channels = 3},
		{.kind = RS_LAYER_ACTIVATION, .from = 9, .activation = RS_LEAKY_RELU, .rate = 0.1},
		{.kind = RS_LAYER_AVERAGE, .from = 10, .kernel = {1, 2, 2}, .stride = {1, 1, 2}},
		{.kind = RS_LAYER_DROPOUT, .from = 11, .rate = 0.2},
		{.kind = RS_LAYER_DENSE, .from = 12, .channels = outputs},
	};
	static float x[SAMPLES * 2 * 4 * 6 * 8];
	uint32_t labels[SAMPLES];
	double time[SAMPLES];
	uint8_t event[SAMPLES];
	struct cubes cubes = {rs_shape_values(&input), x};
	const struct rs_samples samples = {SAMPLES, fill, &cubes, labels, time, event, NULL};
	const struct rs_network_training training = {.loss = loss,
	                                             .epochs = 4,
	                                             .batch = 9,
	                                             .rate = 0.01,
	                                             .warm_up = 0.2,
	                                             .decay = 0.1,
	                                             .clip = 1,
	                                             .smoothing = 0.1,
	                                             .average = 0.9,
	                                             .seed = 11};
	struct rs_network network;
	struct rs_error err;
	struct rs_stream stream = rs_stream_of(5, 0);
	for (size_t i = 0; i < RS_COUNT(x); i++)
		x[i] = (float)rs_stream_unit(&stream) - 0.5f;
	for (size_t i = 0; i < SAMPLES; i++) {
		labels[i] = (uint32_t)rs_stream_below(&stream, outputs > 1 ? outputs : 2);
		time[i] = (double)rs_stream_below(&stream, 12);
		event[i] = i % 3 != 0;
	}
	check(rs_network_create(&input, layers, RS_COUNT(layers), 3, &network, &err), &err);
	check(rs_network_train(&network, &samples, NULL, &training, pool, &err), &err);
	for (size_t i = 0; i < rs_network_weights(&network); i++)
		printf("%a\n", (double)network.weights[i]);
	rs_network_finish(&network);
}

int main(int argc, char **argv)
{
	struct rs_pool *pool = NULL;
	struct rs_error err;
	uint64_t threads;
	if (argc == 3 && rs_parse_u64(rs_str_from(argv[2]), &threads)) {
		check(rs_pool_create((unsigned)threads, &pool, &err), &err);
		dump(pool, RS_LOSS_CLASSES, 3);
		dump(pool, RS_LOSS_OVERLAP, 2);
		dump(pool, RS_LOSS_EFRON, 1);
		rs_pool_destroy(pool);
		return 0;
	}
	measure("32 images 28 x 28, 32 channels", 32, 32, (const uint32_t[3]){1, 28, 28});
	measure("2 volumes 32 x 32 x 32, 16 channels", 2, 16, (const uint32_t[3]){32, 32, 32});
	measure("2 volumes 32 x 32 x 32, 32 channels", 2, 32, (const uint32_t[3]){32, 32, 32});
	return 0;
}
