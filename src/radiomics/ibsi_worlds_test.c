/* Every tiny world against the definitions of the IBSI reference manual, written out as they stand there: dense
 * matrices, distances by repeated erosion, zones by spreading numbers. Values come through the public door, so that
 * chain, discretisation and all aggregations take part. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "radiomics/radiomics.h"

#define VOXELS_MAX 32
#define LEVELS 4
#define COLUMNS 32
#define OUT_OF_RANGE 9
#define FEATURES_MAX 25

struct world {
	int size[3];           /* x y z */
	int state[VOXELS_MAX]; /* 0 outside; 1 … level; OUT_OF_RANGE: of the morphological mask only */
	int depth[VOXELS_MAX]; /* to the edge of the morphological mask */
	int zone[VOXELS_MAX];
};

/* A dense matrix: levels by whatever the family counts. */
struct dense {
	double n[LEVELS + 1][COLUMNS];
	double voxels;
};

static int place(const struct world *w, int x, int y, int z) { return (z * w->size[1] + y) * w->size[0] + x; }

static int at(const struct world *w, int x, int y, int z)
{
	bool inside = x >= 0 && y >= 0 && z >= 0 && x < w->size[0] && y < w->size[1] && z < w->size[2];
	return inside ? place(w, x, y, z) : -1;
}

static int level(const struct world *w, int x, int y, int z)
{
	int i = at(w, x, y, z);
	return i < 0 || w->state[i] == OUT_OF_RANGE ? 0 : w->state[i];
}

/* ---- the families, each over slices low … high - 1; deep: neighbours beyond the slice exist ---- */

struct part {
	int low, high;
	bool deep;
};
static int alpha, distance;

typedef void count_matrix(struct world *w, struct part part, const int direction[3], struct dense *out);

#define EACH_VOXEL(w, part, x, y, z)                   \
	for (int z = (part).low; z < (part).high; z++) \
		for (int y = 0; y < (w)->size[1]; y++) \
			for (int x = 0; x < (w)->size[0]; x++)

static void count_pairs(struct world *w, struct part part, const int d[3], struct dense *out)
{
	EACH_VOXEL(w, part, x, y, z)
	{
		int i = level(w, x, y, z);
		int j = level(w, x + distance * d[0], y + distance * d[1], z + distance * d[2]);
		if (i == 0 || j == 0)
			continue;
		out->n[i][j]++;
		out->n[j][i]++;
	}
}

static void count_runs(struct world *w, struct part part, const int d[3], struct dense *out)
{
	EACH_VOXEL(w, part, x, y, z)
	{
		int i = level(w, x, y, z), length = 1;
		if (i == 0)
			continue;
		out->voxels++;
		if (level(w, x - d[0], y - d[1], z - d[2]) == i)
			continue;
		while (level(w, x + length * d[0], y + length * d[1], z + length * d[2]) == i)
			length++;
		out->n[i][length]++;
	}
}

static bool zone_spreads(struct world *w, struct part part, int x, int y, int z)
{
	bool changed = false;
	for (int dz = part.deep ? -1 : 0; dz <= (part.deep ? 1 : 0); dz++)
		for (int dy = -1; dy <= 1; dy++)
			for (int dx = -1; dx <= 1; dx++) {
				int i = at(w, x, y, z), k = at(w, x + dx, y + dy, z + dz);
				if (i < 0 || k < 0 || level(w, x, y, z) == 0 ||
				    level(w, x + dx, y + dy, z + dz) != level(w, x, y, z))
					continue;
				changed |= w->zone[k] < w->zone[i];
				w->zone[i] = w->zone[k] < w->zone[i] ? w->zone[k] : w->zone[i];
			}
	return changed;
}

static void number_zones(struct world *w, struct part part)
{
	bool changed = true;
	for (int i = 0; i < VOXELS_MAX; i++)
		w->zone[i] = i;
	while (changed) {
		changed = false;
		EACH_VOXEL(w, part, x, y, z)
		changed |= zone_spreads(w, part, x, y, z);
	}
}

/* "The mask is eroded until it is empty; all voxels that are left add 1." */
static void erode(struct world *w, struct part part)
{
	bool left[VOXELS_MAX], any = true;
	for (int i = 0; i < VOXELS_MAX; i++) {
		left[i] = w->state[i] != 0;
		w->depth[i] = left[i];
	}
	while (any) {
		bool next[VOXELS_MAX] = {false};
		any = false;
		EACH_VOXEL(w, part, x, y, z)
		{
			static const int faces[6][3] = {{1, 0, 0},  {-1, 0, 0}, {0, 1, 0},
			                                {0, -1, 0}, {0, 0, 1},  {0, 0, -1}};
			int i = place(w, x, y, z);
			bool stays = left[i];
			for (int f = 0; f < (part.deep ? 6 : 4); f++) {
				int k = at(w, x + faces[f][0], y + faces[f][1], z + faces[f][2]);
				stays = stays && k >= 0 && left[k];
			}
			next[i] = stays;
			w->depth[i] += stays;
			any = any || stays;
		}
		memcpy(left, next, sizeof left);
	}
}

static void count_zones(struct world *w, struct part part, bool by_distance, struct dense *out)
{
	int size[VOXELS_MAX] = {0}, depth[VOXELS_MAX];
	number_zones(w, part);
	erode(w, part);
	for (int i = 0; i < VOXELS_MAX; i++)
		depth[i] = COLUMNS;
	EACH_VOXEL(w, part, x, y, z)
	{
		int i = place(w, x, y, z), zone = w->zone[i];
		if (level(w, x, y, z) == 0)
			continue;
		out->voxels++;
		size[zone]++;
		depth[zone] = w->depth[i] < depth[zone] ? w->depth[i] : depth[zone];
	}
	for (int i = 0; i < VOXELS_MAX; i++)
		if (size[i] > 0)
			out->n[w->state[i]][by_distance ? depth[i] : size[i]]++;
}

static void count_sizes(struct world *w, struct part part, const int d[3], struct dense *out)
{
	(void)d;
	count_zones(w, part, false, out);
}

static void count_distances(struct world *w, struct part part, const int d[3], struct dense *out)
{
	(void)d;
	count_zones(w, part, true, out);
}

static void count_dependences(struct world *w, struct part part, const int d[3], struct dense *out)
{
	(void)d;
	EACH_VOXEL(w, part, x, y, z)
	{
		int i = level(w, x, y, z), j = 0;
		if (i == 0)
			continue;
		for (int dz = part.deep ? -distance : 0; dz <= (part.deep ? distance : 0); dz++)
			for (int dy = -distance; dy <= distance; dy++)
				for (int dx = -distance; dx <= distance; dx++) {
					int other = level(w, x + dx, y + dy, z + dz);
					j += other > 0 && other - i <= alpha && i - other <= alpha;
				}
		out->voxels++;
		out->n[i][j]++;
	}
}

/* Column 0: voxels with neighbours; column 1: sums of differences. */
static void count_tones(struct world *w, struct part part, const int d[3], struct dense *out)
{
	(void)d;
	EACH_VOXEL(w, part, x, y, z)
	{
		int i = level(w, x, y, z);
		double sum = 0, near = 0;
		if (i == 0)
			continue;
		for (int dz = part.deep ? -distance : 0; dz <= (part.deep ? distance : 0); dz++)
			for (int dy = -distance; dy <= distance; dy++)
				for (int dx = -distance; dx <= distance; dx++) {
					int other = level(w, x + dx, y + dy, z + dz);
					if (other == 0 || (dx == 0 && dy == 0 && dz == 0))
						continue;
					sum += other;
					near++;
				}
		if (near > 0) {
			out->n[i][0]++;
			out->n[i][1] += fabs(i - sum / near);
		}
	}
}

/* ---- the features ---- */

typedef bool measure_matrix(const struct dense *m, int level_count, double out[FEATURES_MAX]);

static double entropy(double p) { return p > 0 ? -p * log2(p) : 0; }

static bool measure_lengths(const struct dense *m, int level_count, double out[FEATURES_MAX])
{
	double total = 0, rows[LEVELS + 1] = {0}, columns[COLUMNS] = {0}, mean_i = 0, mean_j = 0;
	(void)level_count;
	memset(out, 0, FEATURES_MAX * sizeof *out);
	for (int i = 1; i <= LEVELS; i++)
		for (int j = 1; j < COLUMNS; j++)
			total += m->n[i][j];
	if (!(total > 0))
		return false;
	for (int i = 1; i <= LEVELS; i++)
		for (int j = 1; j < COLUMNS; j++) {
			double p = m->n[i][j] / total, ii = i * i, jj = j * j;
			if (!(p > 0))
				continue;
			const double terms[] = {p / jj,      p * jj,      p / ii,      p * ii,
			                        p / ii / jj, p * ii / jj, p * jj / ii, p * ii * jj};
			for (int k = 0; k < 8; k++)
				out[k] += terms[k];
			rows[i] += m->n[i][j];
			columns[j] += m->n[i][j];
			mean_i += i * p;
			mean_j += j * p;
			out[15] += entropy(p);
			out[16] += p * p;
		}
	for (int i = 1; i <= LEVELS; i++)
		out[8] += rows[i] * rows[i] / total;
	for (int j = 1; j < COLUMNS; j++)
		out[10] += columns[j] * columns[j] / total;
	out[9] = out[8] / total;
	out[11] = out[10] / total;
	out[12] = total / m->voxels;
	for (int i = 1; i <= LEVELS; i++)
		for (int j = 1; j < COLUMNS; j++) {
			out[13] += (i - mean_i) * (i - mean_i) * m->n[i][j] / total;
			out[14] += (j - mean_j) * (j - mean_j) * m->n[i][j] / total;
		}
	return true;
}

static bool measure_pairs(const struct dense *m, int level_count, double out[FEATURES_MAX])
{
	double total = 0, x[LEVELS + 1] = {0}, difference[LEVELS + 1] = {0}, sum[2 * LEVELS + 1] = {0};
	double hx = 0, hxy = 0, hxy1 = 0, hxy2 = 0, ng = level_count, spread = 0;
	memset(out, 0, FEATURES_MAX * sizeof *out);
	for (int i = 1; i <= LEVELS; i++)
		for (int j = 1; j <= LEVELS; j++)
			total += m->n[i][j];
	if (!(total > 0))
		return false;
	for (int i = 1; i <= LEVELS; i++)
		for (int j = 1; j <= LEVELS; j++) {
			double p = m->n[i][j] / total, k = i > j ? i - j : j - i;
			x[i] += p;
			difference[(int)k] += p;
			sum[i + j] += p;
			out[0] = p > out[0] ? p : out[0];
			out[1] += i * p;
			hxy += entropy(p);
			out[10] += p * p;
			out[11] += k * k * p;
			out[13] += p / (1 + k);
			out[14] += p / (1 + k / ng);
			out[15] += p / (1 + k * k);
			out[16] += p / (1 + k * k / (ng * ng));
			out[17] += k > 0 ? p / (k * k) : 0;
			out[19] += i * j * p;
		}
	double mean = out[1];
	for (int i = 1; i <= LEVELS; i++)
		for (int j = 1; j <= LEVELS; j++) {
			double p = m->n[i][j] / total, s = i + j - 2 * mean;
			out[2] += (i - mean) * (i - mean) * p;
			spread += (i - mean) * (j - mean) * p;
			out[20] += s * s * p;
			out[21] += s * s * s * p;
			out[22] += s * s * s * s * p;
			hxy1 -= p > 0 ? p * log2(x[i] * x[j]) : 0;
			hxy2 -= x[i] * x[j] > 0 ? x[i] * x[j] * log2(x[i] * x[j]) : 0;
		}
	out[3] = hxy;
	for (int k = 0; k <= LEVELS; k++)
		out[4] += k * difference[k];
	for (int k = 0; k <= LEVELS; k++) {
		out[5] += (k - out[4]) * (k - out[4]) * difference[k];
		out[6] += entropy(difference[k]);
	}
	for (int k = 0; k <= 2 * LEVELS; k++) {
		out[7] += k * sum[k];
		out[9] += entropy(sum[k]);
	}
	for (int k = 0; k <= 2 * LEVELS; k++)
		out[8] += (k - out[7]) * (k - out[7]) * sum[k];
	out[12] = out[4];
	out[18] = out[2] > 0 ? spread / out[2] : 1;
	for (int i = 1; i <= LEVELS; i++)
		hx += entropy(x[i]);
	out[23] = hx > 0 ? (hxy - hxy1) / hx : 0;
	out[24] = hxy2 > hxy ? sqrt(1 - exp(-2 * (hxy2 - hxy))) : 0;
	return true;
}

static bool measure_tones(const struct dense *m, int level_count, double out[FEATURES_MAX])
{
	double total = 0, differences = 0, weighted = 0, present = 0;
	(void)level_count;
	memset(out, 0, FEATURES_MAX * sizeof *out);
	for (int i = 1; i <= LEVELS; i++) {
		total += m->n[i][0];
		present += m->n[i][0] > 0;
		differences += m->n[i][1];
	}
	if (!(total > 0))
		return false;
	double range = 0, busy = 0, strong = 0;
	for (int a = 1; a <= LEVELS; a++) {
		double pa = m->n[a][0] / total, sa = m->n[a][1];
		weighted += pa * sa;
		for (int b = 1; b <= LEVELS; b++) {
			double pb = m->n[b][0] / total, sb = m->n[b][1];
			if (!(pa > 0) || !(pb > 0))
				continue;
			range += pa * pb * (a - b) * (a - b);
			busy += fabs(a * pa - b * pb);
			out[3] += fabs((double)(a - b)) * (pa * sa + pb * sb) / (pa + pb) / total;
			strong += (pa + pb) * (a - b) * (a - b);
		}
	}
	out[0] = weighted > 0 ? 1 / weighted : 1e6;
	out[1] = present > 1 ? range / (present * (present - 1)) * differences / total : 0;
	out[2] = present > 1 && busy > 0 ? weighted / busy : 0;
	out[4] = differences > 0 ? strong / differences : 0;
	return true;
}

/* ---- putting together ---- */

static const int directions[13][3] = {{1, 0, 0},  {1, 1, 0},  {0, 1, 0},  {-1, 1, 0}, {0, 0, 1},
                                      {0, 1, 1},  {0, 1, -1}, {1, 0, 1},  {1, 0, -1}, {1, 1, 1},
                                      {1, 1, -1}, {1, -1, 1}, {1, -1, -1}};

struct family {
	const char *name;
	count_matrix *count;
	measure_matrix *measure;
	size_t features;
	bool directional;
	const char *tags[FEATURES_MAX];
};
static const struct family families[] = {
	{"cm",
         count_pairs,
         measure_pairs,
         25,
         true,
         {"joint_max",    "joint_avg",         "joint_var",     "joint_entr", "diff_avg",
          "diff_var",     "diff_entr",         "sum_avg",       "sum_var",    "sum_entr",
          "energy",       "contrast",          "dissimilarity", "inv_diff",   "inv_diff_norm",
          "inv_diff_mom", "inv_diff_mom_norm", "inv_var",       "corr",       "auto_corr",
          "clust_tend",   "clust_shade",       "clust_prom",    "info_corr1", "info_corr2"}},
	{"rlm",
         count_runs,
         measure_lengths,
         16,
         true,
         {"sre", "lre", "lgre", "hgre", "srlge", "srhge", "lrlge", "lrhge", "glnu", "glnu_norm", "rlnu",
          "rlnu_norm", "r_perc", "gl_var", "rl_var", "rl_entr"}},
	{"szm",
         count_sizes,
         measure_lengths,
         16,
         false,
         {"sze", "lze", "lgze", "hgze", "szlge", "szhge", "lzlge", "lzhge", "glnu", "glnu_norm", "zsnu",
          "zsnu_norm", "z_perc", "gl_var", "zs_var", "zs_entr"}},
	{"dzm",
         count_distances,
         measure_lengths,
         16,
         false,
         {"sde", "lde", "lgze", "hgze", "sdlge", "sdhge", "ldlge", "ldhge", "glnu", "glnu_norm", "zdnu",
          "zdnu_norm", "z_perc", "gl_var", "zd_var", "zd_entr"}},
	{"ngt",
         count_tones,
         measure_tones,
         5,
         false,
         {"coarseness", "contrast", "busyness", "complexity", "strength"}},
	{"ngl",
         count_dependences,
         measure_lengths,
         17,
         false,
         {"lde", "hde", "lgce", "hgce", "ldlge", "ldhge", "hdlge", "hdhge", "glnu", "glnu_norm", "dcnu",
          "dcnu_norm", "dc_perc", "gl_var", "dc_var", "dc_entr", "dc_energy"}},
};

struct means {
	double sum[FEATURES_MAX];
	size_t n;
};

static void add_measure(const struct family *family, const struct dense *m, int level_count,
                        struct means *means)
{
	double values[FEATURES_MAX];
	if (!family->measure(m, level_count, values))
		return;
	for (size_t f = 0; f < family->features; f++)
		means->sum[f] += values[f];
	means->n++;
}

static size_t next; /* value of the result that has not been compared */

static void compare(const struct rs_radiomics_result *result, const struct family *family,
                    const char *aggregation, const struct means *means, const struct world *w)
{
	for (size_t f = 0; f < family->features; f++) {
		char tag[64];
		assert_true(next < result->count);
		const struct rs_radiomics_value *value = &result->values[next++];
		snprintf(tag, sizeof tag, "%s_%s_%s", family->name, family->tags[f], aggregation);
		if (strcmp(value->name, tag) != 0)
			fail_msg("%s stands where %s should", value->name, tag);
		double want = means->sum[f] / (double)means->n;
		if (means->n == 0 ? isnan(value->value)
		                  : fabs(value->value - want) <= 1e-7 * fmax(1, fabs(want)))
			continue;
		for (int i = 0; i < w->size[0] * w->size[1] * w->size[2]; i++)
			print_message("%d ", w->state[i]);
		fail_msg("%s is %.17g, by its definition %.17g", tag, value->value, want);
	}
}

/* Groups of slices and directions: each is one matrix; the features of all groups are averaged. */
static void check_grouping(const struct rs_radiomics_result *result, const struct family *family,
                           struct world *w, int level_count, const char *aggregation, bool deep,
                           bool slices_apart, bool directions_apart)
{
	struct means means = {0};
	int count = !family->directional ? 1 : deep ? 13 : 4;
	for (int s = 0; s < (slices_apart ? w->size[2] : 1); s++)
		for (int g = 0; g < (directions_apart ? count : 1); g++) {
			struct dense merged = {0};
			for (int z = slices_apart ? s : 0; z < (slices_apart ? s + 1
			                                        : deep       ? 1
			                                                     : w->size[2]);
			     z++)
				for (int d = directions_apart ? g : 0; d < (directions_apart ? g + 1 : count);
				     d++)
					family->count(w,
					              deep ? (struct part){0, w->size[2], true}
					                   : (struct part){z, z + 1, false},
					              directions[d], &merged);
			add_measure(family, &merged, level_count, &means);
		}
	compare(result, family, aggregation, &means, w);
}

static void check_family(const struct rs_radiomics_result *result, const struct family *family,
                         struct world *w, int level_count)
{
	if (family->directional) {
		check_grouping(result, family, w, level_count, "2D_avg", false, true, true);
		check_grouping(result, family, w, level_count, "2D_comb", false, true, false);
		check_grouping(result, family, w, level_count, "2_5D_avg", false, false, true);
		check_grouping(result, family, w, level_count, "2_5D_comb", false, false, false);
		check_grouping(result, family, w, level_count, "3D_avg", true, false, true);
		check_grouping(result, family, w, level_count, "3D_comb", true, false, false);
		return;
	}
	check_grouping(result, family, w, level_count, "2D", false, true, true);
	check_grouping(result, family, w, level_count, "2_5D", false, false, true);
	check_grouping(result, family, w, level_count, "3D", true, false, true);
}

static void check_world(struct world *w, const struct rs_radiomics_settings *settings)
{
	double voxels[VOXELS_MAX];
	uint32_t labels[VOXELS_MAX];
	struct rs_radiomics_result result RS_CLEANUP(rs_radiomics_result_finish) = {0};
	struct rs_error err = {0};
	int count = w->size[0] * w->size[1] * w->size[2], highest = 0, outside = 0;
	for (int i = 0; i < count; i++) {
		voxels[i] = w->state[i];
		labels[i] = w->state[i] != 0;
		outside += w->state[i] == 0;
		highest = w->state[i] != OUT_OF_RANGE && w->state[i] > highest ? w->state[i] : highest;
	}
	struct rs_volume volume = {.geometry = {{(size_t)w->size[0], (size_t)w->size[1], (size_t)w->size[2]},
	                                        {1, 1, 1},
	                                        {0, 0, 0},
	                                        {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}},
	                           .stored = RS_VOXEL_F64,
	                           .voxels = voxels};
	struct rs_mask mask = {.geometry = volume.geometry, .labels = labels};
	enum rs_code code = rs_radiomics_extract(&volume, &mask, settings, NULL, &result, &err);
	if (highest == 0) { /* no voxel is left */
		assert_int_equal(code, outside == count ? RS_NOT_FOUND : RS_REFUSED);
		return;
	}
	if (code != RS_OK)
		fail_msg("%s", err.message);
	next = 0;
	for (size_t f = 0; f < RS_COUNT(families); f++)
		check_family(&result, &families[f], w, highest);
}

static void settings_make(struct rs_radiomics_settings *out)
{
	struct rs_error err = {0};
	assert_int_equal(rs_radiomics_settings_named("ibsi-digital", out, &err), RS_OK);
	assert_int_equal(rs_radiomics_settings_set(out, "ibsi.range", "1,4", &err), RS_OK);
	assert_int_equal(rs_radiomics_settings_set(out, "ibsi.families", "cm,rlm,szm,dzm,ngt,ngl", &err),
	                 RS_OK);
	out->additional_info = false;
	alpha = 0;
	distance = 1;
}

/* All worlds of a size whose voxels take the given states. */
static void check_all(int x, int y, int z, const int *states, int state_count)
{
	struct rs_radiomics_settings settings;
	struct world w = {.size = {x, y, z}};
	int count = x * y * z, digits[VOXELS_MAX] = {0}, carry = 0;
	settings_make(&settings);
	while (carry < count) {
		for (int i = 0; i < count; i++)
			w.state[i] = states[digits[i]];
		check_world(&w, &settings);
		for (carry = 0; carry < count && ++digits[carry] == state_count; carry++)
			digits[carry] = 0;
	}
}

static void worlds_of_eight_voxels(void **state)
{
	static const int states[] = {0, 1, 3, OUT_OF_RANGE};
	(void)state;
	check_all(2, 2, 2, states, 3);
	check_all(3, 2, 1, states, 4);
	check_all(1, 2, 3, states, 4);
}

static void worlds_of_one_slice(void **state)
{
	static const int states[] = {0, 1, 2};
	(void)state;
	check_all(3, 3, 1, states, 3);
}

/* Large enough for distances of 2 and for zones that touch over corners only. */
static void worlds_drawn_at_random(void **state)
{
	static const int states[] = {0, 1, 1, 1, 2, 2, 3, 4, OUT_OF_RANGE, 1};
	struct rs_radiomics_settings settings;
	struct rs_error err = {0};
	uint32_t noise = 1;
	(void)state;
	settings_make(&settings);
	for (int n = 0; n < 3000; n++) {
		struct world w = {.size = {3, 3, 3}};
		if (n == 2000) {
			distance = 2;
			assert_int_equal(rs_radiomics_settings_set(&settings, "ibsi.distance", "2", &err),
			                 RS_OK);
		}
		if (n == 1000) {
			alpha = 1;
			assert_int_equal(rs_radiomics_settings_set(&settings, "ibsi.ngldmAlpha", "1", &err),
			                 RS_OK);
		}
		for (int i = 0; i < 27; i++) {
			noise = noise * 1664525U + 1013904223U;
			w.state[i] = states[n % 3 == 0 ? 1 + (noise >> 20) % 9 : (noise >> 20) % 10];
		}
		check_world(&w, &settings);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(worlds_of_eight_voxels),
		cmocka_unit_test(worlds_of_one_slice),
		cmocka_unit_test(worlds_drawn_at_random),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
