/* Networks for tables: perceptrons of classes, and of survival by Cox's partial likelihood (DeepSurv, Katzman et al. 2018).
 * Several are trained from different starts, and speak as their mean. In a model file: the list of networks. */
#include <math.h>
#include <string.h>

#include "recipe/recipe_learner.h"
#include "neural/neural_train.h"
#include "recipe/recipe_packed.h"

#define MEMBERS_MAX 64
#define HIDDEN_MAX 8
#define BATCHES 8 /* at least, in an epoch, unless they were smaller than SMALLEST_BATCH */
#define SMALLEST_BATCH ((size_t)8)
#define CLIP 1.0    /* norm of the gradient */
#define WARM_UP 0.1 /* share of the steps */

struct options {
	uint64_t units, layers, members, epochs, batch;
	double dropout, rate, decay;
	uint32_t activation;
};
struct state {
	struct rs_model_shape shape;
	size_t count;
	struct rs_network members[MEMBERS_MAX];
};

static void finish(void *state)
{
	struct state *s = state;
	for (size_t m = 0; m < s->count; m++)
		rs_network_finish(&s->members[m]);
}

/* ---- fit ---- */

struct fitting {
	const struct rs_lesson *lesson;
	const struct options *options;
	struct state *state;
	float *rows;
	uint32_t *labels;                                       /* NULL for survival */
	double weights[RS_CLASSES_MAX], shares[RS_CLASSES_MAX]; /* of classes; shares as weighed */
};

static enum rs_code fill_row(void *context, size_t index, struct rs_stream *augment, float *out,
                             struct rs_error *err)
{
	const struct fitting *fitting = context;
	const size_t columns = fitting->lesson->shape.columns;
	(void)augment;
	(void)err;
	memcpy(out, fitting->rows + index * columns, columns * sizeof *out);
	return RS_OK;
}

/* Each hidden layer is weighed sums, an activation and dropout. */
static enum rs_code member_create(const struct rs_model_shape *shape, const struct options *o, uint64_t seed,
                                  struct rs_network *out, struct rs_error *err)
{
	struct rs_layer layers[2 + 3 * HIDDEN_MAX] = {{.kind = RS_LAYER_INPUT}};
	const struct rs_shape input = {(uint32_t)shape->columns, {1, 1, 1}};
	size_t count = 1;
	for (uint64_t l = 0; l < o->layers; l++) {
		const uint32_t from = (uint32_t)count - 1;
		layers[count++] = (struct rs_layer){
			.kind = RS_LAYER_DENSE, .from = from, .channels = (uint32_t)o->units};
		layers[count++] = (struct rs_layer){.kind = RS_LAYER_ACTIVATION,
		                                    .from = from + 1,
		                                    .activation = o->activation ? RS_GELU : RS_RELU};
		layers[count++] = (struct rs_layer){
			.kind = RS_LAYER_DROPOUT, .from = from + 2, .rate = o->dropout};
	}
	layers[count] = (struct rs_layer){.kind = RS_LAYER_DENSE,
	                                  .from = (uint32_t)count - 1,
	                                  .channels = (uint32_t)rs_model_shape_width(shape)};
	return rs_network_create(&input, layers, count + 1, seed, out, err);
}

/* At first all rows are alike, and as likely as their classes: what tells them apart is learned, not drawn. */
static void start(const struct fitting *fitting, struct rs_network *network)
{
	const struct rs_model_shape *shape = &fitting->lesson->shape;
	const size_t width = rs_model_shape_width(shape), end = rs_network_weights(network);
	const size_t last = network->weights_at[network->layer_count - 1];
	float *offsets = network->weights + end - width;
	memset(network->weights + last, 0, (end - last) * sizeof *network->weights);
	for (size_t k = 0; k < width && shape->target != RS_TARGET_SURVIVAL; k++)
		offsets[k] = (float)(width == 1 ? log(fitting->shares[1] / fitting->shares[0])
		                                : log(fitting->shares[k]));
}

static enum rs_code fit_member(void *context, size_t index, struct rs_error *err)
{
	struct fitting *fitting = context;
	const struct rs_lesson *lesson = fitting->lesson;
	const struct options *o = fitting->options;
	const bool survival = lesson->shape.target == RS_TARGET_SURVIVAL;
	const uint64_t seed = rs_stream_of(lesson->seed, index).state;
	const size_t share = lesson->rows / BATCHES > SMALLEST_BATCH ? lesson->rows / BATCHES
	                                                             : SMALLEST_BATCH;
	const struct rs_samples samples = {lesson->rows, fill_row,        fitting, fitting->labels,
	                                   lesson->time, lesson->outcome, NULL};
	const struct rs_network_training training = {.loss = survival ? RS_LOSS_EFRON : RS_LOSS_CLASSES,
	                                             .epochs = (uint32_t)o->epochs,
	                                             .batch = (uint32_t)(o->batch < share ? o->batch : share),
	                                             .rate = o->rate,
	                                             .warm_up = WARM_UP,
	                                             .decay = o->decay,
	                                             .clip = CLIP,
	                                             .class_weights = lesson->weight ? fitting->weights
	                                                                             : NULL,
	                                             .seed = seed};
	RS_TRY(member_create(&lesson->shape, o, seed, &fitting->state->members[index], err));
	start(fitting, &fitting->state->members[index]);
	return rs_network_train(&fitting->state->members[index], &samples, NULL, &training, NULL, err);
}

static enum rs_code fit_members(struct fitting *fitting, struct rs_error *err)
{
	const struct rs_lesson *lesson = fitting->lesson;
	const size_t columns = lesson->shape.columns;
	for (size_t i = 0; i < lesson->rows; i++) {
		for (size_t c = 0; c < columns; c++)
			fitting->rows[i * columns + c] = (float)lesson->x[c * lesson->rows + i];
		if (fitting->labels)
			fitting->labels[i] = lesson->outcome[i];
		/* Classes are all that weights are made of. */
		const double weight = lesson->weight ? lesson->weight[i] : 1;
		fitting->weights[lesson->outcome[i]] = weight;
		fitting->shares[lesson->outcome[i]] += weight / (double)lesson->rows;
	}
	fitting->state->count = (size_t)fitting->options->members;
	return rs_pool_for(lesson->pool, fitting->state->count, fit_member, fitting, err);
}

static enum rs_code fit(const struct rs_lesson *lesson, const void *options, double *own_scores, void *state,
                        struct rs_error *err)
{
	const bool survival = lesson->shape.target == RS_TARGET_SURVIVAL;
	struct state *s = state;
	size_t room = 0;
	bool fits = rs_mul_size(lesson->rows, lesson->shape.columns, &room);
	float *rows RS_CLEANUP(rs_free_pointer) = fits ? rs_allocate_array(room, sizeof *rows) : NULL;
	uint32_t *labels RS_CLEANUP(rs_free_pointer) = NULL;
	(void)own_scores;
	if (!survival)
		labels = rs_allocate_array(lesson->rows, sizeof *labels);
	if (!rows || (!survival && !labels))
		return rs_error_memory(err, room * sizeof *rows, "a network's rows");
	s->shape = lesson->shape;
	struct fitting fitting = {lesson, options, s, rows, labels, {0}, {0}};
	return fit_members(&fitting, err);
}

/* ---- use ---- */

/* A member's word on one row is added, by its share, to probabilities or the risk. */
static void add_word(const struct rs_model_shape *shape, const float *values, double share, double *out)
{
	const size_t width = rs_model_shape_width(shape);
	double top = (double)values[0], sum = 0;
	if (shape->target == RS_TARGET_SURVIVAL) {
		*out += share * (double)values[0];
		return;
	}
	if (width == 1) {
		*out += share / (1 + exp(-(double)values[0]));
		return;
	}
	for (size_t k = 1; k < width; k++)
		top = fmax(top, (double)values[k]);
	for (size_t k = 0; k < width; k++)
		sum += exp((double)values[k] - top);
	for (size_t k = 0; k < width; k++)
		out[k] += share * exp((double)values[k] - top) / sum;
}

static enum rs_code score(const void *state, const struct rs_matrix *x, double *out, struct rs_error *err)
{
	const struct state *s = state;
	const size_t width = rs_model_shape_width(&s->shape), wide = x->columns > width ? x->columns : width;
	float *row RS_CLEANUP(rs_free_pointer) = NULL;
	size_t room = 0;
	if (rs_mul_size(x->rows, x->columns + width, &room))
		row = rs_allocate_array(room, sizeof *row);
	if (!row)
		return rs_error_memory(err, x->rows * wide * sizeof *row, "a network's rows");
	float *said = row + x->rows * x->columns;
	for (size_t i = 0; i < x->rows; i++)
		for (size_t c = 0; c < x->columns; c++)
			row[i * x->columns + c] = (float)x->values[c * x->rows + i];
	memset(out, 0, x->rows * width * sizeof *out);
	for (size_t m = 0; m < s->count; m++) {
		RS_TRY(rs_network_apply(&s->members[m], row, x->rows, NULL, said, err));
		for (size_t i = 0; i < x->rows; i++)
			add_word(&s->shape, said + i * width, 1 / (double)s->count, out + i * width);
	}
	return RS_OK;
}

/* ---- files ---- */

static void write(const void *state, struct rs_buffer *out)
{
	const struct state *s = state;
	rs_cbor_write_array(out, s->count);
	for (size_t m = 0; m < s->count; m++)
		rs_network_write(&s->members[m], out);
}

static enum rs_code read(struct rs_cbor_reader *reader, const struct rs_model_shape *shape, void *state,
                         struct rs_error *err)
{
	struct state *s = state;
	size_t count;
	s->shape = *shape;
	RS_TRY(rs_cbor_read_array(reader, "networks", &count, err));
	if (count < 1 || count > MEMBERS_MAX)
		return rs_packed_wrong("number of networks", err);
	for (; s->count < count; s->count++) {
		struct rs_network *network = &s->members[s->count];
		RS_TRY(rs_network_read(reader, network, err));
		if (rs_shape_values(&network->shapes[0]) != s->shape.columns ||
		    rs_shape_values(rs_network_output(network)) != rs_model_shape_width(&s->shape)) {
			s->count++;
			return rs_packed_wrong("networks", err);
		}
	}
	return RS_OK;
}

static const char *const activations[] = {"relu", "gelu", NULL};
static const struct rs_setting settings[] = {
	{"units", RS_SETTING_COUNT, offsetof(struct options, units), 1, 1024, 32, NULL},
	{"layers", RS_SETTING_COUNT, offsetof(struct options, layers), 0, HIDDEN_MAX, 1, NULL},
	{"members", RS_SETTING_COUNT, offsetof(struct options, members), 1, MEMBERS_MAX, 5, NULL},
	{"epochs", RS_SETTING_COUNT, offsetof(struct options, epochs), 1, 100000, 60, NULL},
	{"batch", RS_SETTING_COUNT, offsetof(struct options, batch), 1, 1000000, 64, NULL},
	{"dropout", RS_SETTING_NUMBER, offsetof(struct options, dropout), 0, 0.95, 0.3, NULL},
	{"rate", RS_SETTING_NUMBER, offsetof(struct options, rate), 1e-9, 10, 0.003, NULL},
	{"decay", RS_SETTING_NUMBER, offsetof(struct options, decay), 0, 100, 1, NULL},
	{"activation", RS_SETTING_WORD, offsetof(struct options, activation), 0, 1, 0, activations},
	{.name = NULL},
};
const struct rs_learner rs_learner_network = {
	.name = "network",
	.targets = RS_TARGET_BINARY | RS_TARGET_CLASSES | RS_TARGET_ORDINAL | RS_TARGET_SURVIVAL,
	.standardised = true,
	.needs_inputs = true,
	.weighs = true,
	.settings = settings,
	.options_size = sizeof(struct options),
	.state_size = sizeof(struct state),
	.fit = fit,
	.finish = finish,
	.score = score,
	.write = write,
	.read = read,
};
