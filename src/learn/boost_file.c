/* Boosted trees in a model's file: read strictly, nothing taken on trust. */
#include <math.h>

#include "boost.h"
#include "records.h"

#define FIELDS 6
#define NODE_SIZE 17
#define OUTPUTS_MAX 4096

enum rs_code boost_trees_check(const struct rs_booster *booster, struct rs_error *err)
{
	for (uint32_t t = 0; t < booster->trees; t++)
		if (booster->roots[t] >= booster->node_count)
			return rs_error_set(err, RS_MALFORMED, "boosted trees whose roots cannot be");
	for (size_t i = 0; i < booster->node_count; i++) {
		const struct rs_boost_node *node = &booster->nodes[i];
		bool leaf = node->column == RS_BOOST_LEAF;
		if (!isfinite(node->number) || !isfinite(node->cover) || !(node->cover >= 0) ||
		    (leaf ? node->next != 0 || node->missing_right
		          : node->column >= booster->columns || node->next <= i ||
		                     (size_t)node->next + 1 >= booster->node_count))
			return rs_error_set(err, RS_MALFORMED, "boosted trees whose node %zu cannot be", i);
	}
	return RS_OK;
}

void rs_booster_write(const struct rs_booster *booster, struct rs_buffer *out)
{
	struct rs_buffer part RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&part, SIZE_MAX / 2);
	rs_cbor_write_array(out, FIELDS);
	rs_cbor_write_u64(out, booster->kind);
	rs_cbor_write_u64(out, booster->outputs);
	rs_cbor_write_f64(out, booster->base);
	rs_cbor_write_u64(out, booster->trees);
	for (uint32_t t = 0; t < booster->trees; t++)
		put_u32(&part, booster->roots[t]);
	rs_cbor_write_bytes(out, rs_buffer_bytes(&part));
	rs_buffer_clear(&part);
	for (size_t i = 0; i < booster->node_count; i++) {
		const struct rs_boost_node *node = &booster->nodes[i];
		put_u32(&part, node->column);
		put_u32(&part, node->next);
		put_f32(&part, node->number);
		put_f32(&part, node->cover);
		rs_buffer_append_u8(&part, node->missing_right);
	}
	rs_cbor_write_bytes(out, rs_buffer_bytes(&part));
	if (part.failed != RS_OK)
		out->failed = part.failed;
}

static enum rs_code wrong(struct rs_error *err, const char *what)
{
	return rs_error_set(err, RS_MALFORMED, "a model file whose %s cannot be", what);
}

static enum rs_code read_head(struct rs_cbor_reader *reader, struct rs_booster *out, struct rs_error *err)
{
	size_t fields;
	uint64_t kind, outputs, trees;
	RS_TRY(rs_cbor_read_array(reader, "boosted trees", &fields, err));
	RS_TRY(rs_cbor_read_u64(reader, "kind", &kind, err));
	RS_TRY(rs_cbor_read_u64(reader, "outputs", &outputs, err));
	RS_TRY(rs_cbor_read_f64(reader, "base", &out->base, err));
	RS_TRY(rs_cbor_read_u64(reader, "trees", &trees, err));
	if (fields != FIELDS || kind > RS_BOOST_AFT || !isfinite(out->base))
		return wrong(err, "boosted trees");
	if (outputs == 0 || outputs > OUTPUTS_MAX || (outputs > 1) != (kind == RS_BOOST_CLASSES))
		return wrong(err, "outputs");
	if (trees == 0 || trees > UINT32_MAX || trees % outputs != 0)
		return wrong(err, "trees");
	out->kind = (enum rs_boost_kind)kind;
	out->outputs = (uint32_t)outputs;
	out->trees = (uint32_t)trees;
	return RS_OK;
}

static enum rs_code read_trees(struct rs_cbor_reader *reader, struct rs_booster *out, struct rs_error *err)
{
	struct rs_bytes roots, nodes;
	size_t count;
	RS_TRY(read_records(reader, "roots", 4, &roots, &count, err));
	if (count != out->trees)
		return wrong(err, "roots");
	RS_TRY(read_records(reader, "nodes", NODE_SIZE, &nodes, &out->node_count, err));
	out->roots = rs_allocate_array(count, sizeof *out->roots);
	out->nodes = rs_allocate_array(out->node_count, sizeof *out->nodes);
	if (!out->roots || !out->nodes)
		return rs_error_memory(err, nodes.size, "a model");
	for (size_t t = 0; t < count; t++)
		out->roots[t] = rs_read_le32(roots.data + 4 * t);
	for (size_t i = 0; i < out->node_count; i++) {
		const uint8_t *at = nodes.data + i * NODE_SIZE;
		out->nodes[i] = (struct rs_boost_node){rs_read_le32(at), rs_read_le32(at + 4), f32_at(at + 8),
		                                       f32_at(at + 12), at[16] != 0};
		if (at[16] > 1)
			return wrong(err, "nodes");
	}
	return boost_trees_check(out, err);
}

enum rs_code rs_booster_read(struct rs_cbor_reader *reader, uint32_t columns, struct rs_booster *out,
                             struct rs_error *err)
{
	struct rs_booster read RS_CLEANUP(rs_booster_finish) = {.columns = columns};
	RS_TRY(read_head(reader, &read, err));
	RS_TRY(read_trees(reader, &read, err));
	*out = read;
	read = (struct rs_booster){0};
	return RS_OK;
}
