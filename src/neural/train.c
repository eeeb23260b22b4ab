/* Training: epochs of batches in an order of the seed's, judged on validation samples after each. */
#include <math.h>
#include <string.h>

#include "loss.h"
#include "optimise.h"
#include "pass.h"

struct trainer {
	struct rs_network *network;
	const struct rs_samples *samples, *validation;
	const struct rs_network_training *training;
	struct pass pass;
	struct optimiser optimiser;
	size_t batches, positions;
	size_t *order; /* of the samples in this epoch */
	struct moment *moments;
	uint32_t *labels; /* of the batch, as time and event */
	double *time;
	uint8_t *event;
	float *judged;       /* values of the output for validation */
	float *best, *state; /* weights and state of the lowest validation loss */
	double lowest;
	uint32_t epoch, lowest_epoch;
};

static void trainer_finish(struct trainer *trainer)
{
	if (trainer->pass.network)
		pass_finish(&trainer->pass);
	optimiser_finish(&trainer->optimiser);
	rs_free(trainer->order);
	rs_free(trainer->moments);
	rs_free(trainer->labels);
	rs_free(trainer->time);
	rs_free(trainer->event);
	rs_free(trainer->judged);
	rs_free(trainer->best);
	rs_free(trainer->state);
}

static bool is_survival(enum rs_loss loss) { return loss == RS_LOSS_EFRON || loss == RS_LOSS_BRESLOW; }

static enum rs_code samples_check(const struct rs_network *network, const struct rs_samples *samples,
                                  bool trains, enum rs_loss loss, struct rs_error *err)
{
	const struct rs_shape *out = rs_network_output(network);
	const size_t labels = samples->count * rs_shape_positions(out);
	bool events = false;
	if (samples->count == 0)
		return rs_error_set(err, RS_USAGE, "a network has no samples to learn from");
	if (is_survival(loss)) {
		if (rs_shape_values(out) != 1 || !samples->time || !samples->event)
			return rs_error_set(err, RS_USAGE,
			                    "a network of survival has one output, and times and events");
		for (size_t i = 0; i < samples->count; i++)
			events |= samples->event[i];
		return events ? RS_OK : rs_error_set(err, RS_NOT_FOUND, "no event to learn from");
	}
	if ((!samples->labels && !(trains && samples->fill_labelled)) ||
	    (loss == RS_LOSS_OVERLAP && (out->channels < 2 || out->channels > LOSS_CHANNELS_MAX)))
		return rs_error_set(err, RS_USAGE,
		                    "a network of classes has labels, and a channel for each class");
	for (size_t i = 0; samples->labels && i < labels; i++)
		if (samples->labels[i] >= (out->channels > 1 ? out->channels : 2))
			return rs_error_set(err, RS_USAGE, "label %u of %zu is beyond the network's classes",
			                    samples->labels[i], i);
	return RS_OK;
}

static enum rs_code trainer_init(struct trainer *trainer, struct rs_pool *pool, struct rs_error *err)
{
	const struct rs_network *network = trainer->network;
	const size_t count = trainer->samples->count, asked = trainer->training->batch;
	const size_t weights = rs_network_weights(network), state = network->state_at[network->layer_count];
	const size_t judged = trainer->validation ? trainer->validation->count : 1;
	const size_t most = count > judged ? count : judged;
	trainer->batches = asked && asked < count ? (count + asked - 1) / asked : 1;
	trainer->positions = rs_shape_positions(rs_network_output(network));
	RS_TRY(pass_init(&trainer->pass, network, (count + trainer->batches - 1) / trainer->batches, true,
	                 pool, err));
	RS_TRY(optimiser_init(&trainer->optimiser, network, trainer->training,
	                      (uint64_t)trainer->batches * trainer->training->epochs, err));
	trainer->order = rs_allocate_array(count, sizeof *trainer->order);
	trainer->moments = rs_allocate_array(most, sizeof *trainer->moments);
	trainer->labels = rs_allocate_array(trainer->pass.capacity * trainer->positions,
	                                    sizeof *trainer->labels);
	trainer->time = rs_allocate_array(trainer->pass.capacity, sizeof *trainer->time);
	trainer->event = rs_allocate(trainer->pass.capacity);
	trainer->judged = rs_allocate_array(judged, rs_shape_values(rs_network_output(network)) *
	                                                    sizeof *trainer->judged);
	trainer->best = rs_allocate_array(weights, sizeof *trainer->best);
	trainer->state = rs_allocate_array(state, sizeof *trainer->state);
	trainer->lowest = INFINITY;
	return trainer->order && trainer->moments && trainer->labels && trainer->time && trainer->event &&
	                       trainer->judged && trainer->best && trainer->state
	               ? RS_OK
	               : rs_error_memory(err, count * sizeof *trainer->order, "training");
}

/* Fisher & Yates. */
static void shuffle(size_t *order, size_t count, uint64_t seed, uint64_t epoch)
{
	struct rs_stream stream = rs_stream_of(seed, epoch);
	for (size_t i = 0; i < count; i++)
		order[i] = i;
	for (size_t i = count; i > 1; i--) {
		const size_t other = (size_t)rs_stream_below(&stream, i), kept = order[i - 1];
		order[i - 1] = order[other];
		order[other] = kept;
	}
}

/* ---- a batch ---- */

struct filling {
	const struct rs_samples *samples;
	struct pass *pass;
	const size_t *order; /* NULL: as they come, from `first` on, without augmentation */
	size_t first;
	uint64_t seed;
	uint32_t *labels; /* of the batch, for samples that tell them */
};

static enum rs_code fill_one(void *context, size_t index, struct rs_error *err)
{
	const struct filling *filling = context;
	const size_t sample = filling->order ? filling->order[index] : filling->first + index;
	struct rs_stream stream = rs_stream_of(filling->seed, sample);
	float *out = filling->pass->values[0] + index * rs_shape_values(&filling->pass->network->shapes[0]);
	if (filling->order && filling->samples->fill_labelled)
		return filling->samples->fill_labelled(
			filling->samples->context, sample, &stream, out,
			filling->labels +
				index * rs_shape_positions(rs_network_output(filling->pass->network)),
			err);
	return filling->samples->fill(filling->samples->context, sample, filling->order ? &stream : NULL, out,
	                              err);
}

static void take_truth(struct trainer *trainer, const size_t *order, size_t count)
{
	const struct rs_samples *samples = trainer->samples;
	for (size_t i = 0; i < count; i++) {
		if (samples->labels)
			memcpy(trainer->labels + i * trainer->positions,
			       samples->labels + order[i] * trainer->positions,
			       trainer->positions * sizeof *trainer->labels);
		trainer->time[i] = samples->time ? samples->time[order[i]] : 0;
		trainer->event[i] = samples->event ? samples->event[order[i]] : 0;
	}
}

static enum rs_code learn_batch(struct trainer *trainer, size_t batch, double *loss, struct rs_error *err)
{
	struct pass *pass = &trainer->pass;
	const size_t count = trainer->samples->count, last = trainer->network->layer_count - 1;
	const size_t begin = batch * count / trainer->batches, end = (batch + 1) * count / trainer->batches;
	const struct truth truth = {trainer->labels, trainer->time, trainer->event};
	struct filling filling = {trainer->samples,
	                          pass,
	                          trainer->order + begin,
	                          0,
	                          trainer->training->seed + ((uint64_t)trainer->epoch << 32) + 1,
	                          trainer->labels};
	pass->batch = end - begin;
	pass->seed = trainer->training->seed + trainer->optimiser.step;
	RS_TRY(rs_pool_for(pass->pool, pass->batch, fill_one, &filling, err));
	take_truth(trainer, trainer->order + begin, pass->batch);
	RS_TRY(pass_forward(pass, err));
	*loss += loss_of(trainer->training, rs_network_output(trainer->network), pass->values[last],
	                 pass->batch, &truth, trainer->moments, pass->slopes[last]) /
	         (double)trainer->batches;
	RS_TRY(pass_backward(pass, err));
	optimiser_step(&trainer->optimiser, pass->gradient);
	return RS_OK;
}

/* ---- judging ---- */

enum rs_code rs_network_judge(const struct rs_network *network, const struct rs_samples *samples,
                              struct rs_pool *pool, float *out, struct rs_error *err)
{
	struct pass pass RS_CLEANUP(pass_finish) = {0};
	struct filling filling = {samples, &pass, NULL, 0, 0, NULL};
	const size_t values = rs_shape_values(rs_network_output(network)), last = network->layer_count - 1;
	RS_TRY(pass_init(&pass, network, pass_share(network, samples->count), false, pool, err));
	for (; filling.first < samples->count; filling.first += pass.batch) {
		const size_t left = samples->count - filling.first;
		pass.batch = left < pass.capacity ? left : pass.capacity;
		RS_TRY(rs_pool_for(pool, pass.batch, fill_one, &filling, err));
		RS_TRY(pass_forward(&pass, err));
		memcpy(out + filling.first * values, pass.values[last], pass.batch * values * sizeof *out);
	}
	return RS_OK;
}

/* The network as it would be if training ended now. */
static struct rs_network network_now(const struct trainer *trainer)
{
	struct rs_network now = *trainer->network;
	now.weights = trainer->optimiser.average ? trainer->optimiser.average : now.weights;
	now.state = trainer->pass.state;
	return now;
}

static enum rs_code judge(struct trainer *trainer, double *out, struct rs_error *err)
{
	const struct rs_samples *samples = trainer->validation;
	const struct rs_network now = network_now(trainer);
	const struct truth truth = {samples->labels, samples->time, samples->event};
	RS_TRY(rs_network_judge(&now, samples, trainer->pass.pool, trainer->judged, err));
	*out = loss_of(trainer->training, rs_network_output(&now), trainer->judged, samples->count, &truth,
	               trainer->moments, NULL);
	return RS_OK;
}

static void keep(struct trainer *trainer, double loss)
{
	const struct rs_network now = network_now(trainer);
	memcpy(trainer->best, now.weights, rs_network_weights(&now) * sizeof *now.weights);
	memcpy(trainer->state, now.state, now.state_at[now.layer_count] * sizeof *now.state);
	trainer->lowest = loss;
	trainer->lowest_epoch = trainer->epoch;
}

static enum rs_code learn_epoch(struct trainer *trainer, struct rs_error *err)
{
	const struct rs_network_training *training = trainer->training;
	double loss = 0, validation_loss = NAN;
	shuffle(trainer->order, trainer->samples->count, training->seed, trainer->epoch);
	for (size_t b = 0; b < trainer->batches; b++)
		RS_TRY(learn_batch(trainer, b, &loss, err));
	if (!isfinite(loss))
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "the loss is no number after epoch %u: take a lower learning rate",
		                    trainer->epoch + 1);
	if (trainer->validation)
		RS_TRY(judge(trainer, &validation_loss, err));
	if (!training->patience || !trainer->validation || validation_loss < trainer->lowest)
		keep(trainer, validation_loss);
	if (training->progress &&
	    training->progress(training->progress_context, trainer->epoch, loss, validation_loss) != RS_OK)
		return rs_error_set(err, RS_CANCELLED, "training was stopped");
	return RS_OK;
}

enum rs_code rs_network_train(struct rs_network *network, const struct rs_samples *samples,
                              const struct rs_samples *validation, const struct rs_network_training *training,
                              struct rs_pool *pool, struct rs_error *err)
{
	struct trainer trainer RS_CLEANUP(trainer_finish) = {
		.network = network, .samples = samples, .validation = validation, .training = training};
	RS_TRY(samples_check(network, samples, true, training->loss, err));
	if (validation)
		RS_TRY(samples_check(network, validation, false, training->loss, err));
	if (training->epochs < 1 || !(training->rate > 0))
		return rs_error_set(err, RS_USAGE,
		                    "training takes at least one epoch, and a learning rate above 0");
	RS_TRY(trainer_init(&trainer, pool, err));
	for (; trainer.epoch < training->epochs; trainer.epoch++) {
		RS_TRY(learn_epoch(&trainer, err));
		if (training->patience && validation &&
		    trainer.epoch - trainer.lowest_epoch >= training->patience)
			break;
	}
	memcpy(network->weights, trainer.best, rs_network_weights(network) * sizeof *trainer.best);
	memcpy(network->state, trainer.state,
	       network->state_at[network->layer_count] * sizeof *trainer.state);
	return RS_OK;
}
