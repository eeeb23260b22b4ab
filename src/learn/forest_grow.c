/* One tree: bootstrap, then nodes split until they are leaves, depth first. */
#include "forest.h"

struct pending {
	struct members members;
	uint32_t node;
};

void tree_finish(struct tree *tree)
{
	rs_free(tree->nodes);
	rs_free(tree->values);
	*tree = (struct tree){0};
}

/* The row on whose share of the heap of weights a lot falls. */
static size_t drawn(const double *heap, size_t rows, double lot)
{
	size_t low = 0, high = rows - 1;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (heap[middle] > lot)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

struct rs_stream tree_bootstrap(const struct ground *ground, uint64_t index, uint32_t *weight)
{
	struct rs_stream stream = rs_stream_of(ground->seed, index);
	for (size_t i = 0; i < ground->x->rows; i++)
		weight[i] = 0;
	size_t rows = ground->x->rows;
	for (size_t i = 0; i < rows; i++)
		weight[ground->heap
		               ? drawn(ground->heap, rows, rs_stream_unit(&stream) * ground->heap[rows - 1])
		               : rs_stream_below(&stream, rows)]++;
	return stream;
}

static enum rs_code reserve_nodes(struct tree *tree, struct rs_error *err)
{
	if (tree->node_count + 2 <= tree->node_room)
		return RS_OK;
	size_t room = tree->node_room ? 2 * tree->node_room : 64;
	struct rs_forest_node *nodes = rs_reallocate(tree->nodes, room * sizeof *nodes);
	if (!nodes)
		return rs_error_memory(err, room * sizeof *nodes, "a tree");
	tree->nodes = nodes;
	tree->node_room = room;
	return RS_OK;
}

/* Members on the left side first; their slots follow `slot`. */
static void part(struct growing *g, const struct members *in, const struct split *split, uint32_t slot,
                 struct members out[2])
{
	const double *value = &g->ground->x->values[split->column * g->ground->x->rows];
	size_t low = in->first, high = in->last;
	out[0] = (struct members){.first = low, .slot = slot};
	out[1] = (struct members){.last = high, .slot = slot + 1};
	while (low < high) {
		uint32_t row = g->members[low];
		bool right = value[row] > split->threshold;
		g->slot[row] = slot + right;
		out[right].weight += g->weight[row];
		if (!right) {
			low++;
			continue;
		}
		g->members[low] = g->members[--high];
		g->members[high] = row;
	}
	out[0].last = out[1].first = low;
}

static enum rs_code grow(struct growing *g, const struct members *root, struct pending *stack,
                         struct rs_error *err)
{
	size_t depth = 1;
	uint32_t slots = 1;
	RS_TRY(reserve_nodes(&g->tree, err));
	g->tree.node_count = 1;
	stack[0] = (struct pending){*root, 0};
	while (depth > 0) {
		struct pending at = stack[--depth];
		struct split split;
		if (!target_score(g, &at.members) || !split_find(g, &at.members, &split)) {
			RS_TRY(target_leaf(g, &at.members, &g->tree.nodes[at.node], err));
			continue;
		}
		struct members sides[2];
		RS_TRY(reserve_nodes(&g->tree, err));
		part(g, &at.members, &split, slots, sides);
		slots += 2;
		uint32_t next = (uint32_t)g->tree.node_count;
		g->tree.nodes[at.node] = (struct rs_forest_node){
			.column = split.column,
			.next = next,
			.weight = (uint32_t)at.members.weight,
			.threshold = split.threshold,
		};
		g->tree.node_count += 2;
		stack[depth++] = (struct pending){sides[1], next + 1};
		stack[depth++] = (struct pending){sides[0], next};
	}
	return RS_OK;
}

static void growing_finish(struct growing *g)
{
	rs_free(g->weight);
	rs_free(g->members);
	rs_free(g->slot);
	rs_free(g->score);
	rs_free(g->columns);
	rs_free(g->keys);
	rs_free(g->spare);
	rs_free(g->left);
	rs_free(g->total);
	rs_free(g->sorted);
	tree_finish(&g->tree);
}

static enum rs_code growing_init(struct growing *g, const struct ground *ground, struct rs_error *err)
{
	size_t rows = ground->x->rows, columns = ground->x->columns;
	size_t scores = ground->classes > 2 ? ground->classes : 1;
	*g = (struct growing){
		.ground = ground,
		.weight = rs_allocate_array(rows, sizeof *g->weight),
		.members = rs_allocate_array(rows, sizeof *g->members),
		.slot = rs_allocate_array(rows, sizeof *g->slot),
		.score = rs_allocate_array(rows, scores * sizeof *g->score),
		.scores = scores,
		.columns = rs_allocate_array(columns, sizeof *g->columns),
		.keys = rs_allocate_array(rows, sizeof *g->keys),
		.spare = rs_allocate_array(rows, sizeof *g->spare),
		.left = rs_allocate_array(scores, sizeof *g->left),
		.total = rs_allocate_array(scores, sizeof *g->total),
		.sorted = rs_allocate_array(rows + 1, sizeof *g->sorted),
	};
	if (!g->weight || !g->members || !g->slot || !g->score || !g->columns || !g->keys || !g->spare ||
	    !g->left || !g->total || !g->sorted)
		return rs_error_memory(err, rows * scores * sizeof *g->score, "a tree");
	for (uint32_t c = 0; c < columns; c++)
		g->columns[c] = c;
	for (size_t r = 0; ground->classes && r < rows; r++) {
		if (scores > 1)
			g->score[r * scores + ground->labels[r]] = 1;
		else
			g->score[r] = ground->labels[r] ? 1 : 0;
	}
	return RS_OK;
}

enum rs_code tree_grow(const struct ground *ground, uint64_t index, struct tree *out, struct rs_error *err)
{
	struct growing g RS_CLEANUP(growing_finish) = {0};
	struct members root = {.weight = ground->x->rows};
	RS_TRY(growing_init(&g, ground, err));
	g.stream = tree_bootstrap(ground, index, g.weight);
	for (uint32_t row = 0; row < ground->x->rows; row++) {
		g.slot[row] = g.weight[row] ? 0 : UINT32_MAX;
		if (g.weight[row])
			g.members[root.last++] = row;
	}
	/* A path is no longer than there are rows, and each of its nodes leaves one side waiting. */
	struct pending *stack RS_CLEANUP(rs_free_pointer) = rs_allocate_array(root.last + 2, sizeof *stack);
	if (!stack)
		return rs_error_memory(err, root.last * sizeof *stack, "a tree");
	RS_TRY(grow(&g, &root, stack, err));
	*out = g.tree;
	g.tree = (struct tree){0};
	return RS_OK;
}
