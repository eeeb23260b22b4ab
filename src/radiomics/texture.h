/* Matrices of grey levels and the features over a matrix, kept apart: a builder fills a tally from the levels in
 * place, for one direction and some slices, so that the same tally can take one direction, one slice, or all of
 * them; a formula reads the sorted cells of a matrix and does not ask where they come from.
 *
 * One direction of PyRadiomics:   tally_init, glcm_count, tally_mirror, tally_take, glcm_measure.
 * IBSI, slices and directions merged: glcm_count for each into one tally, then the same. */
#ifndef RS_RADIOMICS_TEXTURE_H
#define RS_RADIOMICS_TEXTURE_H

#include <assert.h>
#include <string.h>

#include "radiomics/evidence.h"

/* ---- levels in place ---- */

struct offset {
	int at[3]; /* x y z */
};

/* Slices first … end - 1 (z) of the box. With fewer slices than the box has, offsets must lie within slices. */
struct slab {
	size_t first, end;
};

#define GRID_OVERREAD 16                 /* cells behind the grid that may be read in blocks; 0 */
#define GRID_CELLS_MAX ((size_t)1 << 32) /* cells are numbered by 32 bits */

static inline uint32_t *grid_row(const struct grid *grid, size_t y, size_t z)
{
	return grid->origin + (ptrdiff_t)y * grid->stride[1] + (ptrdiff_t)z * grid->stride[2];
}
static inline struct slab grid_whole(const struct grid *grid) { return (struct slab){0, grid->size[2]}; }
static inline ptrdiff_t offset_shift(const struct grid *grid, struct offset offset)
{
	return offset.at[0] + offset.at[1] * grid->stride[1] + offset.at[2] * grid->stride[2];
}

/* Offsets whose greatest coordinate is one of `distances` (ascending), one of each pair ±, in PyRadiomics' order:
 * from (+d, +d, +d) down, z slowest. Those as long as the box are left out, and those along flat_axis (0 = x,
 * 3 = none). Free *out with rs_free. */
enum rs_code offsets_list(const unsigned *distances, size_t distance_count, const size_t box_size[3],
                          unsigned flat_axis, struct offset **out, size_t *out_count, struct rs_error *err);

/* The same from settings: force2D, and distances or distance 1 alone. */
enum rs_code offsets_of_image(const struct rs_image_settings *settings, const struct grid *grid,
                              bool all_distances, struct offset **out, size_t *out_count,
                              struct rs_error *err);

/* The directions of an image's settings, and room for a matrix of each where they are weighted and added. */
enum rs_code directions_list(const struct rs_evidence *evidence, bool all_distances, struct directions *out,
                             struct rs_error *err);

/* In mm, by a norm; 1 for RS_WEIGHTING_EQUAL. */
double offset_length(struct offset offset, enum rs_weighting norm, const double spacing_mm[3]);

/* ---- tallies and matrices ---- */

/* A cell that is not zero. i is the grey level; j the other level, the length of a run, the size or distance of a
 * zone, or 1 + the number of dependent neighbours. */
struct cell {
	uint32_t i, j;
	double n; /* a count, or a weighted sum of counts */
};
struct matrix {
	struct cell *cells; /* ascending by (i, j), no cell twice */
	size_t count;
	double total; /* the sum of n */
	size_t room;  /* cells there is memory for */
};
void matrix_finish(struct matrix *matrix); /* accepts NULL and zeroed memory */
/* sum += weight * more */
enum rs_code matrix_add(struct matrix *sum, const struct matrix *more, double weight, struct rs_error *err);

/* Counts of (i, j), i and j from 1: a table for j below `columns`, where that is small against what is to come, and a
 * list of keys for the rest. Row 0 and column 0 of the table are there to be written to and never read, so that
 * builders need not ask whether a voxel is outside. */
struct tally {
	uint64_t *table; /* [rows][columns] */
	uint32_t rows, columns;
	uint64_t *keys; /* i << 32 | j */
	size_t key_count, key_room;
	uint64_t *spare; /* for sorting, of spare_room keys */
	size_t spare_room;
	bool failed; /* no memory for a key; tally_take() tells */
};
/* rows, columns: i < rows, j < columns; expected: how many additions are likely, decides on the table only */
enum rs_code tally_init(struct tally *tally, uint32_t rows, uint32_t columns, uint64_t expected,
                        struct rs_error *err);
void tally_finish(struct tally *tally); /* accepts NULL and zeroed memory */
void tally_add_key(struct tally *tally, uint32_t i, uint32_t j);
static inline void tally_add(struct tally *tally, uint32_t i, uint32_t j)
{
	if (j < tally->columns)
		tally->table[(size_t)i * tally->columns + j]++;
	else
		tally_add_key(tally, i, j);
}
/* Adds n(j, i) to each n(i, j): a symmetrical GLCM. The table, if any, must be square. */
enum rs_code tally_mirror(struct tally *tally, struct rs_error *err);
/* The cells so far, in the memory that out has, or more; the tally is empty afterwards and may be filled again. */
enum rs_code tally_take(struct tally *tally, struct matrix *out, struct rs_error *err);
/* The shape of a new tally of `rows` rows in the memory of an empty one that had as many or more. */
void tally_narrow(struct tally *tally, uint32_t rows, uint32_t columns);

/* ---- builders; each adds to what the tally has. Those with _in take the memory they need ---- */

/* Steps through the grid to every neighbour: each offset forth and back, 2 * count. Free with rs_free. */
enum rs_code shifts_list(const struct grid *grid, const struct offset *offsets, size_t count, ptrdiff_t **out,
                         struct rs_error *err);
/* Cells of the grid, margins included. */
static inline size_t grid_cells(const struct grid *grid)
{
	return (size_t)grid->stride[2] * (grid->size[2] + 2 * grid->margin);
}

/* Tallies with the right shape for a grid, for one direction (or several when `times` > 1). */
enum rs_code glcm_tally_init(struct tally *tally, const struct grid *grid, size_t times,
                             struct rs_error *err);
enum rs_code glrlm_tally_init(struct tally *tally, const struct grid *grid, size_t times,
                              struct rs_error *err);
enum rs_code gldm_tally_init(struct tally *tally, const struct grid *grid, size_t neighbours, size_t times,
                             struct rs_error *err);

/* Pairs (level, level of the voxel at offset), both in the region. */
void glcm_count(const struct grid *grid, struct slab slab, struct offset offset, struct tally *tally);
/* Runs (level, length) of equal levels along the offset, broken by voxels outside the region. */
enum rs_code glrlm_count(const struct grid *grid, struct slab slab, struct offset offset, struct tally *tally,
                         struct rs_error *err);
/* lengths: [grid_cells()], 0 in the margins */
void glrlm_count_in(const struct grid *grid, struct slab slab, struct offset offset, uint32_t *lengths,
                    struct tally *tally);
/* false: no line along the offset holds two voxels of the region, and PyRadiomics drops the direction. */
bool glrlm_has_lines(const struct grid *grid, struct slab slab, struct offset offset);
/* (level, 1 + number of neighbours whose level differs by alpha at most). offsets: one of each pair ±. */
enum rs_code gldm_count(const struct grid *grid, struct slab slab, const struct offset *offsets, size_t count,
                        double alpha, struct tally *tally, struct rs_error *err);
void gldm_count_in(const struct grid *grid, struct slab slab, const ptrdiff_t *shifts, size_t shift_count,
                   double alpha, struct tally *tally);

/* Zones: voxels of one level that touch. */
struct zone {
	uint32_t level;
	uint32_t distance; /* least of its voxels' distances; 0 without a map */
	uint64_t size;
};
struct zones {
	struct zone *list; /* in the order of their first voxels */
	size_t count, room;
};
void zones_finish(struct zones *zones);
/* linked: offsets (distance 1, one of each pair ±) along which voxels touch. distance_map: NULL, or one number a
 * voxel, laid out as grid->levels is. Appends to out, so that slices can follow one another. */
enum rs_code zones_find(const struct grid *grid, struct slab slab, const struct offset *linked, size_t count,
                        const uint32_t *distance_map, struct zones *out, struct rs_error *err);
/* The same with what is to be prepared but once for grids of one shape. */
#define LINKS_MAX 32 /* bits of a voxel's links */
struct linking {
	uint32_t *parent; /* [grid_cells()] */
	ptrdiff_t shift[LINKS_MAX];
	uint32_t near[LINKS_MAX]; /* links that a link makes needless: their voxels touch its voxel */
	size_t count;
};
enum rs_code linking_init(struct linking *linking, const struct grid *grid, const struct offset *linked,
                          size_t count, struct rs_error *err);
void linking_finish(struct linking *linking); /* accepts NULL and zeroed memory */
enum rs_code zones_find_in(struct linking *linking, const struct grid *grid, struct slab slab,
                           const uint32_t *distance_map, struct zones *out, struct rs_error *err);
/* (level, size), or (level, distance) for GLDZM. */
enum rs_code zones_matrix(const struct zones *zones, bool by_distance, struct matrix *out,
                          struct rs_error *err);

/* A row per level, entry 0 unused: voxels counted, and the sum of |level - mean of neighbours in the region|. */
struct ngtdm_row {
	uint64_t n;
	double s;
};
/* rows: [grid->level_count + 1], added to. isolated: voxels without neighbours count in n (PyRadiomics) or not
 * (IBSI). */
enum rs_code ngtdm_count(const struct grid *grid, struct slab slab, const struct offset *offsets,
                         size_t count, bool isolated, struct ngtdm_row *rows, struct rs_error *err);
void ngtdm_count_in(const struct grid *grid, struct slab slab, const ptrdiff_t *shifts, size_t shift_count,
                    bool isolated, struct ngtdm_row *rows);

/* ---- formulas ---- */

/* scratch: [count]. Entropy and uniformity, which are those of grey levels, stay 0. */
void firstorder_measure(const double *values, size_t count, double shift, double *scratch,
                        struct firstorder_sums *out);

/* level_count: that of the discretisation, for the normalised inverse differences. */
enum rs_code glcm_measure(const struct matrix *matrix, uint32_t level_count, bool with_mcc,
                          struct glcm_sums *out, struct rs_error *err);
/* The same in memory that is there, for many matrices after another. */
struct glcm_room {
	double *x, *y, *difference, *sum; /* margins by level; all 0 before and after */
	double *p, *top, *mcc;
	uint32_t *rows, *columns, *row_of, *column_of;
	struct mcc_entry *entries;
	double *reals; /* what the above lie in */
	uint32_t *lists;
};
/* cells: of the largest matrix; rows: levels in it (0 when no MCC is wanted) */
enum rs_code glcm_room_init(struct glcm_room *room, uint32_t level_count, size_t cells, size_t rows,
                            struct rs_error *err);
void glcm_room_finish(struct glcm_room *room); /* accepts NULL and zeroed memory */
void glcm_measure_in(const struct matrix *matrix, uint32_t level_count, bool with_mcc, struct glcm_room *room,
                     struct glcm_sums *out);

/* Of a direction when matrices are added: exp(-d^2), d its length in mm. */
double glcm_weight(struct offset offset, enum rs_weighting norm, const double spacing_mm[3]);
bool glcm_wants_mcc(const struct rs_radiomics_settings *settings);

/* mcc.c: entries are p(i,k) / sqrt(x(i) y(k)), top[rows] sqrt(x(i)); room: mcc_room() numbers. 0 for one row. */
struct mcc_entry {
	uint32_t row, column;
	double value;
};
size_t mcc_room(size_t rows, size_t columns);
double mcc_of(const struct mcc_entry *entries, size_t entry_count, size_t rows, size_t columns,
              const double *top, double *room);

/* The sums that GLRLM, GLSZM and GLDM have features of, each as OF(member). */
/* clang-format off */
#define SIZE_SUMS_EACH(OF) \
	OF(small) OF(large) OF(low) OF(high) OF(small_low) OF(small_high) OF(large_low) OF(large_high) \
	OF(level_nonuniformity) OF(level_nonuniformity_normalised) OF(level_variance) \
	OF(size_nonuniformity) OF(size_nonuniformity_normalised) OF(size_variance) OF(entropy) OF(percentage)
/* clang-format on */

/* GLRLM, GLSZM, GLDZM, GLDM and NGLDM. voxels: what the percentage divides by; 0: the sum of n * j. */
enum rs_code sizes_measure(const struct matrix *matrix, double voxels, struct size_sums *out,
                           struct rs_error *err);
/* The same in memory that is there: columns[j] for every j that occurs, all 0 before and after. */
void sizes_measure_in(const struct matrix *matrix, double voxels, double *columns, struct size_sums *out);
enum rs_code ngtdm_measure(const struct ngtdm_row *rows, uint32_t level_count, struct ngtdm_sums *out,
                           struct rs_error *err);
/* The same from the levels that occur, ascending, p = n / voxels. */
struct ngtdm_tone {
	double level, p, s;
};
void ngtdm_measure_tones(const struct ngtdm_tone *tones, size_t count, double voxels, struct ngtdm_sums *out);

#endif
