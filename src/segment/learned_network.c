/* The network: two levels down and up, with skips; instances are normalised (Isensee et al. 2021). */
#include "learned.h"

#define LEVELS 3
#define LAYERS 64
#define LEAK 0.01

struct building {
	struct rs_layer layers[LAYERS];
	uint32_t count;
};

static uint32_t put(struct building *building, const struct rs_layer *layer)
{
	building->layers[building->count] = *layer;
	return building->count++;
}

/* A convolution of 3 x 3 x 3, normalised and activated. */
static uint32_t convolve(struct building *building, uint32_t from, uint32_t channels)
{
	const uint32_t made = put(building, &(struct rs_layer){.kind = RS_LAYER_CONVOLUTION,
	                                                       .from = from,
	                                                       .channels = channels,
	                                                       .kernel = {3, 3, 3},
	                                                       .stride = {1, 1, 1},
	                                                       .padding = {1, 1, 1}});
	const uint32_t normal = put(
		building, &(struct rs_layer){.kind = RS_LAYER_NORMALISE, .from = made, .channels = channels});
	return put(building, &(struct rs_layer){.kind = RS_LAYER_ACTIVATION,
	                                        .from = normal,
	                                        .activation = RS_LEAKY_RELU,
	                                        .rate = LEAK});
}

static struct rs_layer resized(enum rs_layer_kind kind, uint32_t from, uint32_t channels)
{
	return (struct rs_layer){
		.kind = kind, .from = from, .channels = channels, .kernel = {2, 2, 2}, .stride = {2, 2, 2}};
}

enum rs_code learned_network(size_t channels, uint32_t width, uint64_t seed, struct rs_network *out,
                             struct rs_error *err)
{
	const struct rs_shape input = {(uint32_t)channels, {PATCH, PATCH, PATCH}};
	struct building building = {.count = 0};
	uint32_t skips[LEVELS], at = put(&building, &(struct rs_layer){.kind = RS_LAYER_INPUT});
	for (uint32_t level = 0; level < LEVELS; level++) {
		const struct rs_layer smaller = resized(RS_LAYER_MAXIMUM, at, 0);
		at = level ? put(&building, &smaller) : at;
		at = convolve(&building, at, width << level);
		skips[level] = at = convolve(&building, at, width << level);
	}
	for (uint32_t level = LEVELS - 1; level-- > 0;) {
		const struct rs_layer larger = resized(RS_LAYER_TRANSPOSED, at, width << level);
		at = put(&building, &larger);
		at = put(&building,
		         &(struct rs_layer){.kind = RS_LAYER_JOIN, .from = at, .also = skips[level]});
		at = convolve(&building, at, width << level);
	}
	(void)put(&building, &(struct rs_layer){.kind = RS_LAYER_CONVOLUTION,
	                                        .from = at,
	                                        .channels = 2,
	                                        .kernel = {1, 1, 1},
	                                        .stride = {1, 1, 1}});
	return rs_network_create(&input, building.layers, building.count, seed, out, err);
}
