/* The mode ibsi: the chain of the reference manual, then families that each fill blocks of values, one block for
 * each way in which slices and directions can be put together. */
#ifndef RS_RADIOMICS_IBSI_H
#define RS_RADIOMICS_IBSI_H

#include "radiomics/morphology.h"
#include "radiomics/texture.h"

/* ---- the chain: ibsi_chain.c ---- */

struct ibsi_chain {
	const struct rs_volume *volume; /* after interpolation and rounding: the caller's, or `owned` */
	struct rs_volume owned;
	const struct rs_mask *mask; /* likewise; `label` is its region's */
	struct rs_mask owned_mask;
	uint32_t label;
	struct region initial;       /* as segmented, on the grid that was given */
	struct region morphological; /* after interpolation */
	struct region intensity;     /* after re-segmentation too */
};
/* errors  as rs_radiomics_extract */
enum rs_code ibsi_chain_run(const struct rs_volume *volume, const struct rs_mask *mask,
                            const struct rs_radiomics_settings *settings, struct rs_pool *pool,
                            struct ibsi_chain *out, struct rs_error *err);
void ibsi_chain_finish(struct ibsi_chain *chain); /* accepts NULL and zeroed memory */

/* Fixed bin size from the lower end of the range, or fixed bin number over the region's own range. */
struct ibsi_bins {
	double low, width; /* bin k covers low + (k - 1) * width to low + k * width */
	double high;       /* fixed bin number: the region's maximum, which belongs to the last bin */
	uint32_t count;    /* fixed bin number; else 0 */
};
/* of_ivh: those of the volume histogram, else of texture. errors  RS_REFUSED for more than RS_RADIOMICS_LEVELS_MAX levels */
enum rs_code ibsi_bins_choose(const struct rs_ibsi_settings *settings, bool of_ivh,
                              const struct region *region, struct ibsi_bins *out, struct rs_error *err);
uint32_t ibsi_level_of(const struct ibsi_bins *bins, double value);
enum rs_code ibsi_levels_build(const struct ibsi_bins *bins, const struct region *region, struct levels *out,
                               struct rs_error *err);
void ibsi_levels_finish(struct levels *levels);

/* ---- what families measure: ibsi_extract.c, ibsi_zones.c ---- */

struct ibsi_zones {
	struct zones of;   /* those of a slice follow those of the slice before */
	size_t *slice_end; /* [slices]: where a slice's zones end in the list; NULL for zones of the volume */
};
void ibsi_zones_finish(struct ibsi_zones *zones);

struct ibsi_case {
	const struct rs_ibsi_settings *settings;
	struct ibsi_chain chain;
	struct levels levels; /* of texture and the intensity histogram */
	struct grid grid;
	size_t *slice_voxels;       /* [grid.size[2]]: of the intensity mask */
	struct ibsi_zones zones[2]; /* of slices, of the volume */
};
enum rs_code ibsi_zones_build(const struct ibsi_case *work, bool volume, struct ibsi_zones *out,
                              struct rs_error *err);

static inline struct slab ibsi_slab(const struct ibsi_case *work, bool volume, size_t slice)
{
	return volume ? grid_whole(&work->grid) : (struct slab){slice, slice + 1};
}
/* Of the intensity mask there. */
static inline double ibsi_slab_voxels(const struct ibsi_case *work, bool volume, size_t slice)
{
	return (double)(volume ? work->grid.count : work->slice_voxels[slice]);
}

/* The directions of the manual: the first four lie within a slice. */
#define IBSI_DIRECTIONS 13
#define IBSI_DIRECTIONS_2D 4
extern const struct offset ibsi_directions[IBSI_DIRECTIONS];

/* ---- putting slices and directions together: ibsi_aggregate.c ---- */

/* A matrix of one slice (or the volume) and one direction (or all). */
struct ibsi_part {
	struct matrix matrix;
	double voxels; /* what percentages divide by; added when matrices are merged */
};
struct ibsi_parts {
	size_t slices, directions;
	struct ibsi_part *list; /* [slice][direction]; matrices without cells are passed over */
};
enum rs_code ibsi_parts_init(struct ibsi_parts *parts, size_t slices, size_t directions,
                             struct rs_error *err);
void ibsi_parts_finish(struct ibsi_parts *parts);

typedef enum rs_code ibsi_part_measure(const struct ibsi_part *part, uint32_t level_count, double *out,
                                       struct rs_error *err);
/* out[0…]: blocks of `features` values, NULL where not wanted. Directional families, slices: features of each
 * matrix averaged; directions merged in each slice, averaged; slices merged for each direction, averaged; all
 * merged. Directional families, the volume: averaged, merged. Others, slices: averaged, merged; volume: one. */
enum rs_code ibsi_aggregate(const struct ibsi_parts *parts, bool volume, bool directional,
                            ibsi_part_measure *measure, size_t features, uint32_t level_count,
                            double *const *out, struct rs_error *err);

/* What a directional family counts of a slab along a direction, into a tally that is taken afterwards. */
typedef enum rs_code ibsi_direction_count(const struct ibsi_case *work, struct slab slab,
                                          struct offset direction, struct tally *tally, struct rs_error *err);
/* A matrix for each slice (or the volume) and direction, put together. tally: initialised by the caller, and finished */
enum rs_code ibsi_directional(const struct ibsi_case *work, bool volume, struct tally *tally,
                              ibsi_direction_count *count, ibsi_part_measure *measure, size_t features,
                              double *const *out, struct rs_error *err);

/* The 16 features that GLRLM, GLSZM, GLDZM and NGLDM share, in the order of each of their tables. */
#define IBSI_SIZE_FEATURES 16
void ibsi_size_values(const struct size_sums *sums, double out[IBSI_SIZE_FEATURES]);
enum rs_code ibsi_size_measure(const struct ibsi_part *part, uint32_t level_count, double *out,
                               struct rs_error *err);

/* ---- families ---- */

enum ibsi_kind {
	IBSI_WHOLE,       /* one block: of the volume, in three dimensions */
	IBSI_DIRECTIONAL, /* six */
	IBSI_UNDIRECTED   /* three */
};
/* volume: blocks of the volume are wanted, else those of slices; out as ibsi_aggregate(); pool: NULL but for
 * morphology, which is measured while nothing else is */
typedef enum rs_code ibsi_measure(const struct ibsi_case *work, bool volume, struct rs_pool *pool,
                                  double *const *out, struct rs_error *err);
struct ibsi_family {
	const char *name; /* of parameter files, "cm" */
	enum ibsi_kind kind;
	const struct ibsi_row *rows;
	size_t count;
	ibsi_measure *measure;
};
extern const struct ibsi_family ibsi_morphology, ibsi_local, ibsi_statistics, ibsi_histogram,
	ibsi_volume_histogram, ibsi_glcm, ibsi_glrlm, ibsi_glszm, ibsi_gldzm, ibsi_ngtdm, ibsi_ngldm;

/* ---- the mode ---- */

enum rs_code ibsi_plan(const struct rs_radiomics_settings *settings, struct rs_radiomics_result *out,
                       struct rs_error *err);
enum rs_code ibsi_extract(const struct rs_volume *volume, const struct rs_mask *mask,
                          const struct rs_radiomics_settings *settings, struct rs_pool *pool,
                          struct rs_radiomics_result *out, struct rs_error *err);
const char *ibsi_family_name(enum rs_ibsi_family family); /* "cm" */
/* Version, hashes, and the 60 diagnostic values. volume, mask: as they were given */
enum rs_code ibsi_diagnose(const struct rs_volume *volume, const struct rs_mask *mask,
                           const struct ibsi_chain *chain, struct rs_radiomics_result *result,
                           struct rs_error *err);
/* The same, empty. */
enum rs_code ibsi_diagnose_plan(struct rs_radiomics_result *result, struct rs_error *err);

/* ---- settings: ibsi_settings.c ---- */

void ibsi_settings_default(struct rs_ibsi_settings *out);
enum rs_code ibsi_settings_check(const struct rs_ibsi_settings *settings, struct rs_error *err);
/* name: without "ibsi."; value: a scalar, or numbers with commas between */
enum rs_code ibsi_settings_set(struct rs_ibsi_settings *settings, const char *name, const char *value,
                               struct rs_error *err);
void ibsi_settings_write(const struct rs_ibsi_settings *settings, struct rs_buffer *out);

#endif
