/* Content identifiers: multiformats text and bytes, and the UnixFS tree over chunks. Formats after the IPFS
 * specifications (CID, dag-pb, UnixFS v1) as /knowledge gathered them: in a dag-pb node the links (field 2: Hash 1,
 * Name 2, Tsize 3) come before the data (field 1: Type 1 = file, filesize 3, blocksizes 4). */
#include <string.h>

#include "vault/vault.h"

#define CODEC_RAW 0x55
#define CODEC_DAG_PB 0x70
#define LEAVES_SIZE_MAX ((size_t)1 << 28)

static const char base32_digits[] = "abcdefghijklmnopqrstuvwxyz234567";

void rs_cid_format(const struct rs_cid *cid, char out[static RS_CID_TEXT_SIZE])
{
	uint32_t bits = 0, held = 0;
	char *p = out;
	*p++ = 'b';
	for (size_t i = 0; i < sizeof cid->bytes; i++) {
		bits = bits << 8 | cid->bytes[i];
		for (held += 8; held >= 5; held -= 5)
			*p++ = base32_digits[bits >> (held - 5) & 31];
	}
	if (held)
		*p++ = base32_digits[bits << (5 - held) & 31];
	*p = '\0';
}

bool rs_cid_from_bytes(struct rs_bytes bytes, struct rs_cid *out)
{
	const uint8_t *p = bytes.data;
	if (bytes.size != sizeof out->bytes || p[0] != 1 || (p[1] != CODEC_RAW && p[1] != CODEC_DAG_PB) ||
	    p[2] != 0x12 || p[3] != 0x20)
		return false;
	memcpy(out->bytes, p, sizeof out->bytes);
	return true;
}

bool rs_cid_parse(struct rs_str text, struct rs_cid *out)
{
	uint8_t bytes[sizeof out->bytes];
	size_t size = 0;
	uint32_t bits = 0, held = 0;
	if (text.size != RS_CID_TEXT_SIZE - 1 || text.data[0] != 'b')
		return false;
	for (size_t i = 1; i < text.size; i++) {
		const char *digit = text.data[i] ? strchr(base32_digits, text.data[i]) : NULL;
		if (!digit)
			return false;
		bits = bits << 5 | (uint32_t)(digit - base32_digits);
		held += 5;
		if (held >= 8) {
			held -= 8;
			if (size == sizeof bytes)
				return false;
			bytes[size++] = (uint8_t)(bits >> held);
		}
	}
	if (bits & ((1u << held) - 1))
		return false;
	return rs_cid_from_bytes(rs_bytes_of(bytes, size), out);
}

/* A child of a node: where it is, how much content it has, and its bytes with all below it. */
struct link {
	struct rs_cid cid;
	uint64_t content, total;
};

static void cid_of_digest(uint8_t codec, const struct rs_digest *digest, struct rs_cid *out)
{
	const uint8_t head[] = {1, codec, 0x12, 0x20};
	memcpy(out->bytes, head, sizeof head);
	memcpy(out->bytes + sizeof head, digest->bytes, sizeof digest->bytes);
}

void rs_cid_builder_init(struct rs_cid_builder *builder, size_t chunk_size, size_t links_max)
{
	*builder = (struct rs_cid_builder){.chunk_size = chunk_size, .links_max = links_max};
	rs_sha256_init(&builder->hash);
	rs_buffer_init(&builder->leaves, LEAVES_SIZE_MAX);
}

void rs_cid_builder_finish(struct rs_cid_builder *builder)
{
	if (builder)
		rs_buffer_finish(&builder->leaves);
}

static enum rs_code end_chunk(struct rs_cid_builder *builder, struct rs_error *err)
{
	struct rs_digest digest;
	struct link link = {.content = builder->in_chunk, .total = builder->in_chunk};
	rs_sha256_final(&builder->hash, &digest);
	cid_of_digest(CODEC_RAW, &digest, &link.cid);
	rs_buffer_append(&builder->leaves, &link, sizeof link);
	rs_sha256_init(&builder->hash);
	builder->in_chunk = 0;
	if (builder->made)
		RS_TRY(builder->made(builder->context, &link.cid, NULL, err));
	return rs_buffer_check(&builder->leaves, "the chunks of an object", err);
}

enum rs_code rs_cid_builder_add(struct rs_cid_builder *builder, struct rs_bytes bytes, struct rs_error *err)
{
	return rs_cid_builder_add_beside(builder, bytes, NULL, rs_bytes_of("", 0), err);
}

enum rs_code rs_cid_builder_add_beside(struct rs_cid_builder *builder, struct rs_bytes bytes,
                                       struct rs_sha256 *other, struct rs_bytes others, struct rs_error *err)
{
	while (bytes.size) {
		size_t room = builder->chunk_size - builder->in_chunk;
		size_t size = bytes.size < room ? bytes.size : room;
		size_t beside = others.size < size ? others.size : size;
		if (beside > 0)
			rs_sha256_update_pair(&builder->hash, rs_bytes_of(bytes.data, size), other,
			                      rs_bytes_of(others.data, beside));
		else
			rs_sha256_update(&builder->hash, bytes.data, size);
		others = rs_bytes_of(others.data + beside, others.size - beside);
		builder->in_chunk += size;
		builder->total += size;
		bytes = rs_bytes_of(bytes.data + size, bytes.size - size);
		if (builder->in_chunk == builder->chunk_size)
			RS_TRY(end_chunk(builder, err));
	}
	if (others.size > 0)
		rs_sha256_update(other, others.data, others.size);
	return RS_OK;
}

static void write_varint(struct rs_buffer *out, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		rs_buffer_append_u8(out, (uint8_t)(value | 0x80));
	rs_buffer_append_u8(out, (uint8_t)value);
}

static void write_field(struct rs_buffer *out, uint8_t key, struct rs_bytes value)
{
	rs_buffer_append_u8(out, key);
	write_varint(out, value.size);
	rs_buffer_append_bytes(out, value);
}

static void write_link(struct rs_buffer *out, const struct link *link, struct rs_buffer *scratch)
{
	rs_buffer_clear(scratch);
	write_field(scratch, 0x0a, rs_bytes_of(link->cid.bytes, sizeof link->cid.bytes));
	write_field(scratch, 0x12, rs_bytes_of("", 0));
	rs_buffer_append_u8(scratch, 0x18);
	write_varint(scratch, link->total);
	write_field(out, 0x12, rs_buffer_bytes(scratch));
}

static void write_unixfs(struct rs_buffer *out, const struct link *links, size_t count, uint64_t content)
{
	rs_buffer_append(out, "\x08\x02", 2); /* Type: file */
	rs_buffer_append_u8(out, 0x18);
	write_varint(out, content);
	for (size_t i = 0; i < count; i++) {
		rs_buffer_append_u8(out, 0x20);
		write_varint(out, links[i].content);
	}
}

static enum rs_code make_node(const struct rs_cid_builder *builder, const struct link *links, size_t count,
                              struct link *out, struct rs_error *err)
{
	struct rs_buffer node RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_buffer scratch RS_CLEANUP(rs_buffer_finish) = {0};
	struct link made = {.content = 0};
	rs_buffer_init(&node, (size_t)1 << 22);
	rs_buffer_init(&scratch, (size_t)1 << 20);
	for (size_t i = 0; i < count; i++) {
		made.content += links[i].content;
		made.total += links[i].total;
		write_link(&node, &links[i], &scratch);
	}
	rs_buffer_clear(&scratch);
	write_unixfs(&scratch, links, count, made.content);
	write_field(&node, 0x0a, rs_buffer_bytes(&scratch));
	RS_TRY(rs_buffer_check(&scratch, "a node of an object's tree", err));
	RS_TRY(rs_buffer_check(&node, "a node of an object's tree", err));
	struct rs_digest digest;
	rs_sha256(rs_buffer_bytes(&node), &digest);
	cid_of_digest(CODEC_DAG_PB, &digest, &made.cid);
	made.total += node.size;
	struct rs_bytes bytes = rs_buffer_bytes(&node);
	if (builder->made)
		RS_TRY(builder->made(builder->context, &made.cid, &bytes, err));
	*out = made;
	return RS_OK;
}

enum rs_code rs_cid_builder_final(struct rs_cid_builder *builder, struct rs_cid *out, struct rs_error *err)
{
	if (builder->in_chunk || builder->total == 0)
		RS_TRY(end_chunk(builder, err));
	struct link *links = (struct link *)(void *)builder->leaves.data;
	size_t count = builder->leaves.size / sizeof *links;
	/* Level by level, in place: a node is written before the links it replaces are read again. */
	while (count > 1) {
		size_t made = 0;
		for (size_t start = 0; start < count; start += builder->links_max, made++) {
			size_t width = count - start < builder->links_max ? count - start
			                                                  : builder->links_max;
			RS_TRY(make_node(builder, links + start, width, &links[made], err));
		}
		count = made;
	}
	*out = links[0].cid;
	return RS_OK;
}

enum rs_code rs_cid_of(struct rs_bytes bytes, struct rs_cid *out, struct rs_error *err)
{
	struct rs_cid_builder builder RS_CLEANUP(rs_cid_builder_finish) = {0};
	rs_cid_builder_init(&builder, RS_OBJECT_CHUNK_SIZE, RS_OBJECT_LINKS);
	RS_TRY(rs_cid_builder_add(&builder, bytes, err));
	return rs_cid_builder_final(&builder, out, err);
}
