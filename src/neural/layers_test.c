/* Layers forward and back against PyTorch 1.13.0 (Debian, in double precision), products against their definition, the same
 * bits for any number of threads and set of instructions. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "kernel.h"
#include "pass.h"

#define BATCH 3
#define LAYERS_OF_CASE 11

/* Numbers that PyTorch was given, too: n-th value of a sequence. */
static float number(size_t n, size_t factor, size_t offset, size_t modulus)
{
	return (float)((double)((n * factor + offset) % modulus) / (double)modulus - 0.5);
}

#define INPUT                          \
	{                              \
		.kind = RS_LAYER_INPUT \
	}
#define DENSE(n, c)                                                    \
	{                                                              \
		.kind = RS_LAYER_DENSE, .from = (n)-1, .channels = (c) \
	}
#define CONVOLVE(n, c, ...)                                                               \
	{                                                                                 \
		.kind = RS_LAYER_CONVOLUTION, .from = (n)-1, .channels = (c), __VA_ARGS__ \
	}
#define GROW(n, c, ...)                                                                  \
	{                                                                                \
		.kind = RS_LAYER_TRANSPOSED, .from = (n)-1, .channels = (c), __VA_ARGS__ \
	}
#define NORMALISE(n, g)                                                    \
	{                                                                  \
		.kind = RS_LAYER_NORMALISE, .from = (n)-1, .channels = (g) \
	}
#define ACTIVATE(n, a)                                                                     \
	{                                                                                  \
		.kind = RS_LAYER_ACTIVATION, .from = (n)-1, .activation = (a), .rate = 0.1 \
	}
#define POOL(n, k, ...)                                 \
	{                                               \
		.kind = (k), .from = (n)-1, __VA_ARGS__ \
	}
#define K333 .kernel = {3, 3, 3}, .stride = {1, 1, 1}, .padding = {1, 1, 1}
#define K133 .kernel = {1, 3, 3}, .stride = {1, 1, 1}, .padding = {0, 1, 1}
#define K111 .kernel = {1, 1, 1}, .stride = {1, 1, 1}
#define K222 .kernel = {2, 2, 2}, .stride = {2, 2, 2}

/* `numbers`: the sum of outputs times their sequence, its slope by the weights along another sequence, and squared. */
static const struct layers_case {
	const char *name;
	struct rs_shape input;
	size_t count, weights;
	struct rs_layer layers[LAYERS_OF_CASE];
	double numbers[3];
} cases[] = {
	{"dense",
         {5, {1, 1, 1}},
         4,
         66,
         {INPUT, DENSE(1, 7), ACTIVATE(2, RS_GELU), DENSE(3, 3)},
         {-0.0242474259, 0.422769666, 1.47894558}},
	{"images",
         {2, {1, 9, 11}},
         4,
         188,
         {INPUT, CONVOLVE(1, 5, .kernel = {1, 3, 3}, .stride = {1, 2, 1}, .padding = {0, 1, 1}),
          ACTIVATE(2, RS_LEAKY_RELU), CONVOLVE(3, 3, .kernel = {1, 2, 3}, .stride = {1, 1, 1})},
         {-1.22270527, 1.14973644, 129.420395}},
	{"volumes",
         {2, {4, 5, 6}},
         4,
         367,
         {INPUT, CONVOLVE(1, 4, K333), ACTIVATE(2, RS_RELU),
          CONVOLVE(3, 3, .kernel = {2, 3, 2}, .stride = {2, 1, 2}, .padding = {1, 0, 1})},
         {-1.66404288, -0.324686703, 348.267159}},
	{"transposed",
         {2, {3, 4, 5}},
         5,
         357,
         {INPUT, CONVOLVE(1, 4, K333), ACTIVATE(2, RS_RELU), GROW(3, 3, K222),
          GROW(4, 2, .kernel = {1, 3, 2}, .stride = {1, 2, 1}, .padding = {0, 1, 0})},
         {19.2115037, 1.76674152, 3770.59547}},
	{"batch",
         {2, {1, 6, 7}},
         5,
         885,
         {INPUT, CONVOLVE(1, 6, K133), NORMALISE(2, 0), ACTIVATE(3, RS_RELU), DENSE(4, 3)},
         {-0.690802162, 0.979366789, 13.987712}},
	{"groups and instances",
         {2, {3, 4, 5}},
         7,
         1101,
         {INPUT, CONVOLVE(1, 6, K333), NORMALISE(2, 2), ACTIVATE(3, RS_RELU), CONVOLVE(4, 4, K111),
          NORMALISE(5, 4), DENSE(6, 3)},
         {2.00556541, 0.449242095, 85.5958902}},
	{"pools",
         {2, {3, 7, 8}},
         6,
         101,
         {INPUT, CONVOLVE(1, 4, K133), POOL(2, RS_LAYER_MAXIMUM, .kernel = {2, 2, 2}, .stride = {1, 2, 2}),
          POOL(3, RS_LAYER_AVERAGE, .kernel = {1, 3, 2}, .stride = {1, 1, 2}), CONVOLVE(4, 5, K111),
          POOL(5, RS_LAYER_AVERAGE, .rate = 0)},
         {0.0918361022, 0.208307925, 3.87978604}},
	{"a U with a residual",
         {1, {4, 4, 6}},
         11,
         545,
         {INPUT,
          CONVOLVE(1, 3, K333),
          ACTIVATE(2, RS_RELU),
          POOL(3, RS_LAYER_MAXIMUM, K222),
          CONVOLVE(4, 4, K333),
          ACTIVATE(5, RS_RELU),
          CONVOLVE(6, 4, K111),
          {.kind = RS_LAYER_ADD, .from = 6, .also = 4},
          GROW(8, 3, K222),
          {.kind = RS_LAYER_JOIN, .from = 2, .also = 8},
          CONVOLVE(10, 2, K111)},
         {2.52088546, -7.16496905, 268.661109}},
};

static void network_of(const struct layers_case *c, struct rs_network *out)
{
	struct rs_error err;
	if (rs_network_create(&c->input, c->layers, c->count, 1, out, &err) != RS_OK)
		fail_msg("%s: %s", c->name, err.message);
	assert_int_equal(rs_network_weights(out), c->weights);
	for (size_t i = 0; i < c->weights; i++)
		out->weights[i] = number(i, 7919, 13, 1009);
}

/* Forward and back; out_gradient may be NULL. */
static double run(const struct rs_network *network, struct rs_pool *pool, float *out_gradient)
{
	struct pass pass;
	struct rs_error err;
	const size_t last = network->layer_count - 1,
		     values = BATCH * rs_shape_values(&network->shapes[last]);
	double sum = 0;
	assert_int_equal(pass_init(&pass, network, BATCH + 1, true, pool, &err), RS_OK);
	pass.batch = BATCH;
	for (size_t i = 0; i < BATCH * rs_shape_values(&network->shapes[0]); i++)
		pass.values[0][i] = number(i, 104729, 7, 997);
	assert_int_equal(pass_forward(&pass, &err), RS_OK);
	for (size_t i = 0; i < values; i++) {
		pass.slopes[last][i] = number(i, 31, 5, 61);
		sum += (double)pass.values[last][i] * (double)pass.slopes[last][i];
	}
	assert_int_equal(pass_backward(&pass, &err), RS_OK);
	if (out_gradient)
		memcpy(out_gradient, pass.gradient, rs_network_weights(network) * sizeof *out_gradient);
	pass_finish(&pass);
	return sum;
}

static void assert_near(const char *name, double found, double expected, double tolerance)
{
	if (!(fabs(found - expected) <= tolerance * (1 + fabs(expected))))
		fail_msg("%s: %.9g in place of %.9g", name, found, expected);
}

static void against_pytorch(void **state)
{
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		const double *numbers = cases[i].numbers;
		struct rs_network network;
		float gradient[2000];
		double along = 0, squared = 0;
		network_of(&cases[i], &network);
		assert_near(cases[i].name, run(&network, NULL, gradient), numbers[0], 2e-6);
		for (size_t k = 0; k < cases[i].weights; k++) {
			along += (double)gradient[k] * (double)number(k, 17, 3, 41);
			squared += (double)gradient[k] * (double)gradient[k];
		}
		assert_near(cases[i].name, along, numbers[1], 5e-6);
		assert_near(cases[i].name, squared, numbers[2], 5e-6);
		rs_network_finish(&network);
	}
}

/* Independent of PyTorch: the slope along a direction by finite differences; activations are made smooth for that. */
static void against_differences(void **state)
{
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		struct rs_network network;
		float gradient[2000], step = 0x1p-10f;
		double along = 0, squared = 0, differences[2];
		network_of(&cases[i], &network);
		for (size_t l = 0; l < network.layer_count; l++)
			network.layers[l].activation = RS_GELU;
		(void)run(&network, NULL, gradient);
		for (int side = 0; side < 2; side++) {
			for (size_t k = 0; k < cases[i].weights; k++)
				network.weights[k] = number(k, 7919, 13, 1009) +
				                     (side ? step : -step) * number(k, 13, 2, 37);
			differences[side] = run(&network, NULL, NULL);
		}
		for (size_t k = 0; k < cases[i].weights; k++) {
			along += (double)gradient[k] * (double)number(k, 13, 2, 37);
			squared += (double)gradient[k] * (double)gradient[k];
		}
		assert_near(cases[i].name,
		            (differences[1] - differences[0]) / (2 * (double)step) / sqrt(squared),
		            along / sqrt(squared), 2e-3);
		rs_network_finish(&network);
	}
}

static void same_for_any_threads(void **state)
{
	struct rs_pool *pool;
	struct rs_error err;
	(void)state;
	assert_int_equal(rs_pool_create(3, &pool, &err), RS_OK);
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		struct rs_network network;
		float gradients[2][2000];
		network_of(&cases[i], &network);
		const double alone = run(&network, NULL, gradients[0]),
			     together = run(&network, pool, gradients[1]);
		assert_memory_equal(&alone, &together, sizeof alone);
		assert_memory_equal(gradients[0], gradients[1], cases[i].weights * sizeof(float));
		rs_network_finish(&network);
	}
	rs_pool_destroy(pool);
}

/* Dropout: means stay, the way back has the same mask, and nothing is dropped when applied. */
static void drops(void **state)
{
	enum { COUNT = 20000 };
	const struct rs_shape input = {COUNT, {1, 1, 1}};
	const struct rs_layer layers[] = {
		INPUT, {.kind = RS_LAYER_ACTIVATION}, {.kind = RS_LAYER_DROPOUT, .from = 1, .rate = 0.25}};
	struct rs_network network;
	struct rs_error err;
	struct pass pass;
	float *x = rs_allocate_array(COUNT, sizeof *x), *y = rs_allocate_array(COUNT, sizeof *y);
	size_t zeros = 0;
	(void)state;
	assert_non_null(x);
	assert_non_null(y);
	assert_int_equal(rs_network_create(&input, layers, 3, 1, &network, &err), RS_OK);
	assert_int_equal(pass_init(&pass, &network, 1, true, NULL, &err), RS_OK);
	pass.batch = 1;
	for (size_t i = 0; i < COUNT; i++)
		x[i] = pass.values[0][i] = pass.slopes[2][i] = 1;
	assert_int_equal(pass_forward(&pass, &err), RS_OK);
	assert_int_equal(pass_backward(&pass, &err), RS_OK);
	assert_memory_equal(pass.values[2], pass.slopes[1], COUNT * sizeof *x);
	for (size_t i = 0; i < COUNT; i++) {
		zeros += pass.values[2][i] == 0;
		assert_true(pass.values[2][i] == 0 || fabsf(pass.values[2][i] - 4 / 3.0f) < 1e-6f);
	}
	assert_true(zeros > COUNT / 4 - 300 && zeros < COUNT / 4 + 300);
	pass_finish(&pass);
	assert_int_equal(rs_network_apply(&network, x, 1, NULL, y, &err), RS_OK);
	assert_memory_equal(x, y, COUNT * sizeof *x);
	rs_network_finish(&network);
	rs_free(x);
	rs_free(y);
}

/* Every remainder of rows, columns and terms, by the definition in kernel.h, to the bit. */
static void products(void **state)
{
	enum { SIDE = 37 };
	const struct product_ways *ways[] = {&product_plain, product_wide(), product_widest()};
	float a[SIDE * SIDE], b[SIDE * SIDE], expected[SIDE * SIDE], c[SIDE * SIDE];
	(void)state;
	for (size_t i = 0; i < RS_COUNT(a); i++) {
		a[i] = number(i, 7919, 3, 1013);
		b[i] = number(i, 104729, 1, 1019);
	}
	for (size_t n = 0; n < 2 * SIDE * 4; n++) {
		const bool transposed = n & 1;
		const size_t rows = 1 + n % 9, inner = 1 + n / 2 % SIDE, columns = 1 + n * 7 % SIDE;
		const struct product p = {
			rows, inner, columns, a, inner, 1, b, transposed ? inner : columns, c, columns, NULL};
		for (size_t i = 0; i < rows * columns; i++) {
			float sum = 1, lane[8] = {0};
			for (size_t k = 0; k < inner; k++) {
				const float x = a[i / columns * inner + k];
				const float y = transposed ? b[i % columns * inner + k]
				                           : b[k * columns + i % columns];
				float *to = transposed ? &lane[k % 8] : &sum;
				*to = fmaf(x, y, *to);
			}
			expected[i] = sum + (((lane[0] + lane[1]) + (lane[2] + lane[3])) +
			                     ((lane[4] + lane[5]) + (lane[6] + lane[7])));
		}
		for (size_t w = 0; w < RS_COUNT(ways); w++) {
			if (!ways[w])
				continue;
			for (size_t i = 0; i < rows * columns; i++)
				c[i] = 1;
			(transposed ? ways[w]->add_transposed : ways[w]->add)(&p);
			assert_memory_equal(c, expected, rows * columns * sizeof *c);
		}
	}
}

static void refuses(void **state)
{
	static const struct {
		struct rs_layer layer;
		const char *tells;
	} wrong[] = {
		{{.kind = RS_LAYER_INPUT}, "layer 1 of the network: a kind"},
		{{.kind = RS_LAYER_DENSE, .channels = 0}, "none"},
		{{.kind = RS_LAYER_DENSE, .channels = 70000}, "a kind or a number"},
		{{.kind = RS_LAYER_ACTIVATION, .from = 1}, "a kind or a number"},
		{{.kind = RS_LAYER_DROPOUT, .rate = 1}, "a kind or a number"},
		{{.kind = RS_LAYER_NORMALISE, .channels = 3}, "3 groups"},
		{CONVOLVE(1, 2, .kernel = {1, 9, 1}, .stride = {1, 1, 1}), "larger than what"},
		{CONVOLVE(1, 2, .kernel = {1, 3, 3}), "at least 1"},
		{GROW(1, 2, .kernel = {1, 1, 1}, .stride = {1, 16384, 16384}), "more than a network takes"},
		{POOL(1, RS_LAYER_MAXIMUM, .kernel = {1, 5, 5}, .stride = {1, 1, 1}), "windows"},
	};
	const struct rs_shape input = {2, {1, 4, 4}};
	struct rs_network network = {0};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(wrong); i++) {
		const struct rs_layer layers[] = {INPUT, wrong[i].layer};
		struct rs_error err = {0};
		assert_int_not_equal(rs_network_create(&input, layers, 2, 1, &network, &err), RS_OK);
		if (!strstr(err.message, wrong[i].tells))
			fail_msg("%zu: %s", i, err.message);
		assert_null(network.layers);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(products),
		cmocka_unit_test(against_pytorch),
		cmocka_unit_test(against_differences),
		cmocka_unit_test(same_for_any_threads),
		cmocka_unit_test(drops),
		cmocka_unit_test(refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
