/* Blocks of lines: gathered from an array, filtered, and scattered to another one. */
#include "filter/lines.h"

#include <string.h>

struct work {
	const struct lines *lines;
	size_t in_stride[3], out_stride[3];
	unsigned across[2]; /* the axes other than that of the lines; lanes run along the first one */
	size_t line_count, block_count, blocks_per_item;
};

/* Where a block's lanes begin. */
struct lanes {
	size_t in[LINES], out[LINES];
	size_t used;
	bool adjacent; /* of contiguous voxels, in both arrays */
};

static void find_lanes(const struct work *w, size_t block, struct lanes *out)
{
	size_t first = block * LINES, width = w->lines->size[w->across[0]];
	out->used = w->line_count - first < LINES ? w->line_count - first : LINES;
	for (size_t lane = 0; lane < LINES; lane++) { /* the lanes too many repeat the last one */
		size_t line = first + (lane < out->used ? lane : out->used - 1);
		size_t u = line % width, v = line / width;
		out->in[lane] = u * w->in_stride[w->across[0]] + v * w->in_stride[w->across[1]];
		out->out[lane] = u * w->out_stride[w->across[0]] + v * w->out_stride[w->across[1]];
	}
	out->adjacent = w->across[0] == 0 && out->used == LINES &&
	                first / width == (first + LINES - 1) / width;
}

static void gather(const struct work *w, const struct lanes *lanes, double *restrict data)
{
	const struct lines *lines = w->lines;
	size_t n = lines->size[lines->axis], stride = w->in_stride[lines->axis];
	for (size_t i = 0; i < n; i++, data += LINES) {
		if (lanes->adjacent && lines->in) {
			memcpy(data, lines->in + lanes->in[0] + i * stride, LINES * sizeof *data);
		} else if (lanes->adjacent) {
			const float *restrict from = lines->in_single + lanes->in[0] + i * stride;
			for (size_t lane = 0; lane < LINES; lane++)
				data[lane] = (double)from[lane];
		} else if (lines->in) {
			for (size_t lane = 0; lane < LINES; lane++)
				data[lane] = lines->in[lanes->in[lane] + i * stride];
		} else {
			for (size_t lane = 0; lane < LINES; lane++)
				data[lane] = (double)lines->in_single[lanes->in[lane] + i * stride];
		}
	}
}

static void add_single(double *sum, double value, double weight)
{
	*sum = (double)(float)(*sum + (double)(float)value * weight);
}

static void scatter_row(const struct lines *lines, const struct lanes *lanes, size_t offset,
                        const double *restrict row)
{
	if (lines->sum && lanes->adjacent) {
		double *sum = lines->sum + lanes->out[0] + offset;
		for (size_t lane = 0; lane < LINES; lane++)
			add_single(sum + lane, row[lane], lines->weight);
	} else if (lines->sum) {
		for (size_t lane = 0; lane < lanes->used; lane++)
			add_single(lines->sum + lanes->out[lane] + offset, row[lane], lines->weight);
	} else if (lines->out) {
		for (size_t lane = 0; lane < lanes->used; lane++)
			lines->out[lanes->out[lane] + offset] = row[lane];
	} else if (lanes->adjacent) {
		float *restrict to = lines->out_single + lanes->out[0] + offset;
		for (size_t lane = 0; lane < LINES; lane++)
			to[lane] = (float)row[lane];
	} else {
		for (size_t lane = 0; lane < lanes->used; lane++)
			lines->out_single[lanes->out[lane] + offset] = (float)row[lane];
	}
}

static enum rs_code run_blocks(void *context, size_t index, struct rs_error *err)
{
	const struct work *w = context;
	const struct lines *lines = w->lines;
	size_t n = lines->size[lines->axis], size;
	if (!rs_mul_size(n, 2 * LINES * sizeof(double), &size))
		return rs_error_memory(err, n, "lines");
	double *data RS_CLEANUP(rs_free_pointer) = rs_allocate_aligned(size);
	if (!data)
		return rs_error_memory(err, size, "lines");
	double *result = data + n * LINES;
	size_t first = index * w->blocks_per_item;
	for (size_t block = first; block < first + w->blocks_per_item && block < w->block_count; block++) {
		struct lanes lanes;
		find_lanes(w, block, &lanes);
		gather(w, &lanes, data);
		lines->filter.run(lines->filter.how, n, lines->first, lines->first + lines->count, data,
		                  result);
		for (size_t i = 0; i < lines->count; i++)
			scatter_row(lines, &lanes, i * w->out_stride[lines->axis],
			            result + (lines->first + i) * LINES);
	}
	return RS_OK;
}

enum rs_code lines_run(const struct lines *lines, struct rs_pool *pool, struct rs_error *err)
{
	struct work w = {.lines = lines};
	size_t in_stride = 1, out_stride = 1;
	for (unsigned a = 0; a < 3; a++) {
		w.in_stride[a] = in_stride;
		w.out_stride[a] = out_stride;
		in_stride *= lines->size[a];
		out_stride *= a == lines->axis ? lines->count : lines->size[a];
	}
	w.across[0] = lines->axis == 0 ? 1 : 0;
	w.across[1] = lines->axis == 2 ? 1 : 2;
	w.line_count = lines->size[w.across[0]] * lines->size[w.across[1]];
	w.block_count = (w.line_count + LINES - 1) / LINES;
	size_t items = rs_pool_threads(pool) == 1 ? 1 : (size_t)rs_pool_threads(pool) * 8;
	w.blocks_per_item = (w.block_count + items - 1) / items;
	return rs_pool_for(pool, (w.block_count + w.blocks_per_item - 1) / w.blocks_per_item, run_blocks, &w,
	                   err);
}
