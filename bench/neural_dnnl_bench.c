/* The U-Net's convolutions beside oneDNN's, one thread each: `OMP_NUM_THREADS=1 neural_dnnl_bench`. Built where its library
 * (Debian: libdnnl-dev) is; the product does not link it. oneDNN chooses its own layouts and is not charged for bringing
 * values into them. */
#include <dnnl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../src/neural/pass.h"

#define TURNS 9

static double seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "neural_dnnl_bench: %s failed\n", what);
	exit(1);
}

static int ascending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

struct layer_case {
	const char *name;
	uint32_t batch, in, out, size[3];
};

struct figures {
	double forward, back; /* seconds; back: to values and weights */
};

static double median(double *times)
{
	qsort(times, TURNS, sizeof *times, ascending);
	return times[TURNS / 2];
}

static struct figures measure_own(const struct layer_case *c)
{
	const uint32_t depth = c->size[0] > 1 ? 3 : 1;
	const struct rs_shape input = {c->in, {c->size[0], c->size[1], c->size[2]}};
	/* Behind another layer, so that slopes of its input are wanted. */
	const struct rs_layer layers[] = {{.kind = RS_LAYER_INPUT},
	                                  {.kind = RS_LAYER_ACTIVATION},
	                                  {.kind = RS_LAYER_CONVOLUTION,
	                                   .from = 1,
	                                   .channels = c->out,
	                                   .kernel = {depth, 3, 3},
	                                   .stride = {1, 1, 1},
	                                   .padding = {depth / 2, 1, 1}}};
	struct rs_network network;
	struct pass pass;
	struct rs_error err;
	double forward[TURNS], back[TURNS], idle[TURNS];
	must(rs_network_create(&input, layers, 3, 1, &network, &err) == RS_OK, "a network");
	must(pass_init(&pass, &network, c->batch, true, NULL, &err) == RS_OK, "a pass");
	pass.batch = c->batch;
	for (size_t i = 0; i < c->batch * rs_shape_values(&input); i++)
		pass.values[0][i] = (float)(i * 7919 % 997) / 997 - 0.5f;
	for (size_t i = 0; i < c->batch * rs_shape_values(&network.shapes[2]); i++)
		pass.slopes[2][i] = (float)(i * 31 % 61) / 61 - 0.5f;
	for (int turn = -1; turn < TURNS; turn++) {
		double from = seconds();
		must(pass_forward(&pass, &err) == RS_OK, "forward");
		const double middle = seconds();
		must(pass_backward(&pass, &err) == RS_OK, "back");
		if (turn >= 0) {
			back[turn] = seconds() - middle;
			forward[turn] = middle - from;
		}
	}
	/* The activation alone is taken off. */
	network.layer_count = 2;
	for (int turn = 0; turn < TURNS; turn++) {
		const double from = seconds();
		must(pass_forward(&pass, &err) == RS_OK, "forward");
		idle[turn] = seconds() - from;
	}
	const struct figures figures = {median(forward) - median(idle), median(back) - median(idle)};
	network.layer_count = 3;
	pass_finish(&pass);
	rs_network_finish(&network);
	return figures;
}

/* ---- oneDNN ---- */

#define DNNL(call) must((call) == dnnl_success, #call)

static dnnl_memory_t memory_of(const_dnnl_primitive_desc_t primitive, dnnl_query_t what, dnnl_engine_t engine)
{
	const dnnl_memory_desc_t *desc = dnnl_primitive_desc_query_md(primitive, what, 0);
	const size_t size = dnnl_memory_desc_get_size(desc);
	dnnl_memory_t memory;
	float *values;
	DNNL(dnnl_memory_create(&memory, desc, engine, DNNL_MEMORY_ALLOCATE));
	DNNL(dnnl_memory_get_data_handle(memory, (void **)&values));
	for (size_t i = 0; i < size / sizeof *values; i++)
		values[i] = (float)(i * 7919 % 997) / 997 - 0.5f;
	return memory;
}

static double time_of(dnnl_primitive_desc_t desc, const dnnl_exec_arg_t *arguments, int count,
                      dnnl_stream_t stream)
{
	dnnl_primitive_t primitive;
	double times[TURNS];
	DNNL(dnnl_primitive_create(&primitive, desc));
	for (int turn = -1; turn < TURNS; turn++) {
		const double from = seconds();
		DNNL(dnnl_primitive_execute(primitive, stream, count, arguments));
		DNNL(dnnl_stream_wait(stream));
		if (turn >= 0)
			times[turn] = seconds() - from;
	}
	DNNL(dnnl_primitive_destroy(primitive));
	return median(times);
}

static struct figures measure_dnnl(const struct layer_case *c)
{
	const int flat = c->size[0] == 1, dims = flat ? 4 : 5;
	const uint32_t *size = c->size + flat;
	const dnnl_dims_t ones = {1, 1, 1}, offsets = {c->out};
	dnnl_dims_t source = {c->batch, c->in}, weights = {c->out, c->in}, made = {c->batch, c->out};
	dnnl_memory_desc_t s, w, b, m;
	dnnl_convolution_desc_t forward, values, slopes;
	dnnl_primitive_desc_t forward_desc, values_desc, slopes_desc;
	dnnl_engine_t engine;
	dnnl_stream_t stream;
	struct figures figures;
	for (int a = 0; a < dims - 2; a++) {
		source[2 + a] = made[2 + a] = size[a];
		weights[2 + a] = 3;
	}
	DNNL(dnnl_engine_create(&engine, dnnl_cpu, 0));
	DNNL(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags));
	DNNL(dnnl_memory_desc_init_by_tag(&s, dims, source, dnnl_f32, dnnl_format_tag_any));
	DNNL(dnnl_memory_desc_init_by_tag(&w, dims, weights, dnnl_f32, dnnl_format_tag_any));
	DNNL(dnnl_memory_desc_init_by_tag(&m, dims, made, dnnl_f32, dnnl_format_tag_any));
	DNNL(dnnl_memory_desc_init_by_tag(&b, 1, offsets, dnnl_f32, dnnl_x));
	DNNL(dnnl_convolution_forward_desc_init(&forward, dnnl_forward_training, dnnl_convolution_direct, &s,
	                                        &w, &b, &m, ones, ones, ones));
	DNNL(dnnl_primitive_desc_create(&forward_desc, &forward, NULL, engine, NULL));
	DNNL(dnnl_convolution_backward_data_desc_init(&values, dnnl_convolution_direct, &s, &w, &m, ones,
	                                              ones, ones));
	DNNL(dnnl_primitive_desc_create(&values_desc, &values, NULL, engine, forward_desc));
	DNNL(dnnl_convolution_backward_weights_desc_init(&slopes, dnnl_convolution_direct, &s, &w, &b, &m,
	                                                 ones, ones, ones));
	DNNL(dnnl_primitive_desc_create(&slopes_desc, &slopes, NULL, engine, forward_desc));
	const dnnl_exec_arg_t by_forward[] = {
		{DNNL_ARG_SRC, memory_of(forward_desc, dnnl_query_src_md, engine)},
		{DNNL_ARG_WEIGHTS, memory_of(forward_desc, dnnl_query_weights_md, engine)},
		{DNNL_ARG_BIAS, NULL},
		{DNNL_ARG_DST, memory_of(forward_desc, dnnl_query_dst_md, engine)}};
	dnnl_exec_arg_t with_offsets[4];
	memcpy(with_offsets, by_forward, sizeof by_forward);
	DNNL(dnnl_memory_create(&with_offsets[2].memory, &b, engine, DNNL_MEMORY_ALLOCATE));
	figures.forward = time_of(forward_desc, with_offsets, 4, stream);
	const dnnl_exec_arg_t by_values[] = {
		{DNNL_ARG_DIFF_DST, memory_of(values_desc, dnnl_query_diff_dst_md, engine)},
		{DNNL_ARG_WEIGHTS, memory_of(values_desc, dnnl_query_weights_md, engine)},
		{DNNL_ARG_DIFF_SRC, memory_of(values_desc, dnnl_query_diff_src_md, engine)}};
	const dnnl_exec_arg_t by_slopes[] = {
		{DNNL_ARG_SRC, memory_of(slopes_desc, dnnl_query_src_md, engine)},
		{DNNL_ARG_DIFF_DST, memory_of(slopes_desc, dnnl_query_diff_dst_md, engine)},
		{DNNL_ARG_DIFF_WEIGHTS, memory_of(slopes_desc, dnnl_query_diff_weights_md, engine)},
		{DNNL_ARG_DIFF_BIAS, with_offsets[2].memory}};
	figures.back = time_of(values_desc, by_values, 3, stream) +
	               time_of(slopes_desc, by_slopes, 4, stream);
	return figures; /* the program ends soon: nothing is given back */
}

int main(void)
{
	static const struct layer_case cases[] = {
		{"4 volumes 32x32x32, 4 to 8 channels", 4, 4, 8, {32, 32, 32}},
		{"4 volumes 32x32x32, 8 to 8", 4, 8, 8, {32, 32, 32}},
		{"4 volumes 32x32x32, 16 to 8", 4, 16, 8, {32, 32, 32}},
		{"4 volumes 16x16x16, 16 to 16", 4, 16, 16, {16, 16, 16}},
		{"4 volumes 16x16x16, 32 to 16", 4, 32, 16, {16, 16, 16}},
		{"4 volumes 8x8x8, 32 to 32", 4, 32, 32, {8, 8, 8}},
		{"2 volumes 32x32x32, 32 to 32", 2, 32, 32, {32, 32, 32}},
		{"32 images 28x28, 32 to 32", 32, 32, 32, {1, 28, 28}},
	};
	printf("GFLOP/s                                 forward: own, oneDNN    back: own, oneDNN   time of own/oneDNN\n");
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		const struct layer_case *c = &cases[i];
		const double work = 2e-9 * c->batch * c->in * c->out * (c->size[0] > 1 ? 27 : 9) *
		                    c->size[0] * c->size[1] * c->size[2];
		const struct figures own = measure_own(c), other = measure_dnnl(c);
		printf("%-38s %10.1f %10.1f %10.1f %10.1f %14.2f\n", c->name, work / own.forward,
		       work / other.forward, 2 * work / own.back, 2 * work / other.back,
		       (own.forward + own.back) / (other.forward + other.back));
	}
	return 0;
}
