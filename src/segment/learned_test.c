/* Learned segmentation: grids, normalisation, patches, windows against formulas; training on phantoms in a simulated world, with
 * the same bits for any threads; files of models, whole and broken; tables that are refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/base_sim.h"
#include "learned.h"

#define CASES 10

static void assert_near(double found, double expected, double tolerance, const char *name)
{
	if (!(fabs(found - expected) <= tolerance))
		fail_msg("%s: %.9g in place of %.9g", name, found, expected);
}

static struct rs_geometry grid_make(size_t x, size_t y, size_t z, double dx, double dy, double dz)
{
	return (struct rs_geometry){{x, y, z}, {dx, dy, dz}, {5, -7, 11}, {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};
}

/* A plane in space stays that plane, within a fifth of a millimetre, away from the borders; constants stay everywhere. */
static void grids(void **state)
{
	const struct rs_geometry image = grid_make(20, 30, 11, 1.5, 1, 4);
	static float values[20 * 30 * 11], coarse[10000], back[20 * 30 * 11];
	struct rs_geometry working;
	struct rs_error err;
	(void)state;
	assert_int_equal(working_grid(&image, 2.5, &working, &err), RS_OK);
	assert_int_equal(working.size[0], 12);
	assert_int_equal(working.size[1], 12);
	assert_int_equal(working.size[2], 18);
	for (int a = 0; a < 3; a++) {
		const double middle = image.origin_mm[a] +
		                      ((double)image.size[a] - 1) / 2 * image.spacing_mm[a];
		assert_near(working.origin_mm[a] + ((double)working.size[a] - 1) / 2 * 2.5, middle, 1e-12,
		            "middle");
	}
	for (int constant = 0; constant < 2; constant++) {
		for (size_t i = 0; i < RS_COUNT(values); i++)
			values[i] = constant ? 7
			                     : (float)(i % 20) * 1.5f + (float)(i / 20 % 30) -
			                               (float)(i / 600) * 8;
		assert_int_equal(grid_onto(&image, values, &working, coarse, &err), RS_OK);
		for (size_t i = 0; i < 12 * 12 * 18; i++) {
			const size_t at[3] = {i % 12, i / 12 % 12, i / 144};
			double expected = constant ? 7 : 0;
			for (size_t a = 0; a < 3 && !constant; a++)
				expected += (working.origin_mm[a] - image.origin_mm[a] +
				             (double)at[a] * 2.5) *
				            (a == 2 ? -2 : 1);
			if (constant ||
			    (at[0] > 1 && at[0] < 10 && at[1] > 1 && at[1] < 10 && at[2] > 1 && at[2] < 16))
				assert_near((double)coarse[i], expected, constant ? 1e-5 : 0.2,
				            "a voxel of a plane");
		}
		assert_int_equal(grid_onto(&working, coarse, &image, back, &err), RS_OK);
		for (size_t i = 0; constant && i < RS_COUNT(back); i++)
			assert_near((double)back[i], 7, 1e-5, "a constant");
	}
	assert_int_equal(grid_onto(&image, values, &image, back, &err), RS_OK);
	assert_memory_equal(values, back, sizeof values);
	assert_int_equal(working_grid(&image, 1e-4, &working, &err), RS_TOO_LARGE);
}

/* Half of the voxels are air: the other half has mean 0 and deviation 1, whatever the scanner's scale, and nearly so where a few
 * voxels are far out. */
static void normalises(void **state)
{
	const struct rs_geometry grid = grid_make(16, 16, 16, 3, 3, 3);
	(void)state;
	for (int turn = 0; turn < 4; turn++) {
		static const double scales[] = {1, 730, -3, 1};
		struct rs_volume image RS_CLEANUP(rs_volume_finish) = {0};
		const struct rs_volume *images[2] = {NULL, &image};
		struct study study RS_CLEANUP(study_finish) = {0};
		struct rs_error err;
		double sum = 0, squares = 0;
		assert_int_equal(rs_volume_init(&image, &grid, &err), RS_OK);
		for (size_t i = 0; i < 4096; i++)
			image.voxels[i] = turn == 3 && i % 256 == 0
			                          ? 1e5
			                          : scales[turn] * (i % 2 ? 10 + (double)(i * 7 % 5)
			                                                  : 0.1 * (double)(i % 7));
		assert_int_equal(study_of(images, 2, NULL, 3, &study, &err), RS_OK);
		assert_true(study.has[1] && !study.has[0]);
		for (size_t i = 0; i < 4096; i++) {
			assert_true(study.values[i] == 0);
			sum += i % 2 ? (double)study.values[4096 + i] : 0;
			squares += i % 2 ? (double)study.values[4096 + i] * (double)study.values[4096 + i]
			                 : 0;
		}
		assert_near(sum / 2048, 0, turn == 3 ? 0.03 : 1e-5, "mean");
		assert_near(squares / 2048, 1, turn == 3 ? 0.03 : 1e-5, "deviation");
	}
}

/* However a file has the axes, the network sees the patient's. */
static void turns(void **state)
{
	const struct rs_geometry plain = grid_make(5, 4, 3, 3, 3, 3);
	/* i goes down along z, j along -x, k along y. */
	const struct rs_geometry other = {
		{3, 5, 4}, {3, 3, 3}, {5 + 4 * 3, -7, 11 + 2 * 3}, {{0, -1, 0}, {0, 0, 1}, {-1, 0, 0}}};
	struct rs_volume images[2] = {0};
	const struct rs_volume *there[2] = {&images[0], &images[1]};
	struct study studies[2] = {0};
	struct rs_error err;
	(void)state;
	for (size_t n = 0; n < 2; n++)
		assert_int_equal(rs_volume_init(&images[n], n ? &other : &plain, &err), RS_OK);
	for (size_t i = 0; i < 60; i++) {
		const size_t x = i % 5, y = i / 5 % 4, z = i / 20;
		images[0].voxels[i] = images[1].voxels[(y * 5 + 4 - x) * 3 + 2 - z] = (double)(i * 7 % 11);
	}
	for (size_t n = 0; n < 2; n++)
		assert_int_equal(study_of(&there[n], 1, NULL, 3, &studies[n], &err), RS_OK);
	assert_memory_equal(studies[0].values, studies[1].values, 60 * sizeof(float));
	assert_int_equal(grid_same(&studies[0].grid, &studies[1].grid, "it", &err), RS_OK);
	for (size_t i = 0; i < 60; i++)
		assert_true(images[0].voxels[turned_at(&studies[0].turned, i)] ==
		            images[1].voxels[turned_at(&studies[1].turned, i)]);
	for (size_t n = 0; n < 2; n++) {
		study_finish(&studies[n]);
		rs_volume_finish(&images[n]);
	}
}

/* Labels go where the image goes: it is bright within the region. */
static void patches(void **state)
{
	const struct rs_geometry grid = grid_make(40, 36, 34, 2, 2, 2);
	struct rs_volume image RS_CLEANUP(rs_volume_finish) = {0};
	struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {0};
	const struct rs_volume *images[1] = {&image};
	struct study study RS_CLEANUP(study_finish) = {0};
	static float out[2][PATCH_VALUES];
	static uint32_t labels[2][PATCH_VALUES];
	struct rs_error err;
	(void)state;
	assert_int_equal(rs_volume_init(&image, &grid, &err), RS_OK);
	assert_int_equal(rs_mask_init(&mask, &grid, &err), RS_OK);
	for (size_t i = 0; i < rs_geometry_voxels(&grid); i++) {
		const double x = (double)(i % 40) - 30, y = (double)(i / 40 % 36) - 12,
			     z = (double)(i / 1440) - 20;
		mask.labels[i] = x * x + y * y + z * z < 49;
		image.voxels[i] = mask.labels[i] ? 200 : 100;
	}
	assert_int_equal(study_of(images, 1, &mask, 2, &study, &err), RS_OK);
	for (size_t n = 0; n < 8; n++) {
		double sum[2] = {0}, count[2] = {0};
		for (size_t turn = 0; turn < 2; turn++) {
			struct rs_stream stream = rs_stream_of(3, n);
			patch_draw(&study, n, &stream, out[turn], labels[turn]);
		}
		assert_memory_equal(out[0], out[1], sizeof out[0]);
		assert_memory_equal(labels[0], labels[1], sizeof labels[0]);
		for (size_t i = 0; i < PATCH_VALUES; i++) {
			sum[labels[0][i]] += (double)out[0][i];
			count[labels[0][i]]++;
		}
		if (n % 2 == 0)
			assert_true(count[1] > 200); /* even ones are about the region */
		if (count[1] > 100)
			assert_true(sum[1] / count[1] > 1.5 + sum[0] / count[0]);
	}
}

/* A network that sees single voxels says what its formula says, however windows overlap. */
static void slides(void **state)
{
	const struct rs_shape input = {1, {PATCH, PATCH, PATCH}};
	const struct rs_layer layers[] = {
		{.kind = RS_LAYER_INPUT},
		{.kind = RS_LAYER_CONVOLUTION, .channels = 2, .kernel = {1, 1, 1}, .stride = {1, 1, 1}}};
	static float values[75 * 33 * 20], said[75 * 33 * 20];
	const struct study study = {.grid = grid_make(75, 33, 20, 1, 1, 1), .channels = 1, .values = values};
	struct rs_network network;
	struct rs_error err;
	(void)state;
	for (size_t i = 0; i < RS_COUNT(values); i++)
		values[i] = (float)(i * 7919 % 1009) / 100 - 5;
	assert_int_equal(rs_network_create(&input, layers, 2, 1, &network, &err), RS_OK);
	memcpy(network.weights, (const float[4]){0.5f, 1.25f, 0, -0.5f}, 4 * sizeof(float));
	assert_int_equal(study_predict(&network, &study, NULL, said, &err), RS_OK);
	for (size_t i = 0; i < RS_COUNT(values); i++)
		assert_near((double)said[i], 1 / (1 + exp(-(0.75 * (double)values[i] - 0.5))), 1e-6,
		            "a voxel");
	rs_network_finish(&network);
}

static void parts(void **state)
{
	const size_t size[3] = {9, 3, 2};
	float p[54] = {
		[0] = 0.6f, [1] = 0.6f, [10] = 0.6f, [20] = 0.9f, [47] = 0.9f, [30] = 0.4f, [35] = 0.5f};
	struct rs_error err;
	(void)state;
	/* 0, 1 and 10 make 1.8; 20 and 47 lie above each other and make 1.8 in double, too, but come later; 35 is alone. */
	p[20] = 0.95f;
	assert_int_equal(largest_part(size, p, &err), RS_OK);
	for (size_t i = 0; i < 54; i++)
		assert_near((double)p[i], i == 20 ? 0.95 : i == 47 ? 0.9 : i == 30 ? 0.4 : 0, 1e-6, "a part");
}

/* ---- a world of phantoms ---- */

static void write_case(const struct rs_world *world, size_t n, struct rs_buffer *table)
{
	const struct rs_geometry grid = grid_make(36, 34, 22, 2, 2, 3);
	struct rs_stream stream = rs_stream_of(77, n);
	struct rs_volume images[2] = {0};
	struct rs_mask mask = {0};
	struct rs_error err;
	double middle[3], radius[3];
	char path[2][32];
	for (int a = 0; a < 3; a++) {
		radius[a] = 7 + 6 * rs_stream_unit(&stream);
		middle[a] = 24 + 20 * rs_stream_unit(&stream);
	}
	assert_int_equal(rs_mask_init(&mask, &grid, &err), RS_OK);
	for (size_t c = 0; c < 2; c++)
		assert_int_equal(rs_volume_init(&images[c], &grid, &err), RS_OK);
	for (size_t i = 0; i < rs_geometry_voxels(&grid); i++) {
		const double at[3] = {2 * (double)(i % 36), 2 * (double)(i / 36 % 34),
		                      3 * (double)(i / 36 / 34)};
		double away = 0;
		for (int a = 0; a < 3; a++)
			away += pow((at[a] - middle[a]) / radius[a], 2);
		mask.labels[i] = away < 1 ? 4 : 0;
		const double wave = 1 + 0.2 * sin(at[0] / 9 + (double)n) * cos(at[1] / 7);
		images[0].voxels[i] = (double)(100 + 50 * n) * wave * (away < 1 ? 0.8 : 1.2) *
		                      (0.9 + 0.2 * rs_stream_unit(&stream));
		images[1].voxels[i] = 30 * wave *
		                      (away < 1     ? 1.5
		                       : away < 2.5 ? 0.7
		                                    : 1) *
		                      (0.8 + 0.4 * rs_stream_unit(&stream));
	}
	for (size_t c = 0; c < 2; c++) {
		images[c].stored = RS_VOXEL_F32;
		(void)snprintf(path[c], sizeof path[c], "/%zu_%zu.nrrd", n, c);
		assert_int_equal(rs_volume_write(world, path[c], &images[c], &err), RS_OK);
		rs_volume_finish(&images[c]);
	}
	rs_buffer_printf(table, "S%zu,%s,%s,", n, n == 3 ? "" : path[0] + 1, path[1] + 1);
	(void)snprintf(path[0], sizeof path[0], "/%zu_mask.nrrd", n);
	assert_int_equal(rs_mask_write(world, path[0], &mask, &err), RS_OK);
	rs_buffer_printf(table, "%s\n", path[0] + 1);
	rs_mask_finish(&mask);
}

static void put(const struct rs_world *world, const char *path, const char *text)
{
	struct rs_error err;
	assert_int_equal(rs_file_replace(world, path, rs_bytes_of(text, strlen(text)), 0600, &err), RS_OK);
}

struct world {
	struct rs_sim *sim;
	const struct rs_world *world;
};

static int world_make(void **state)
{
	static struct world made;
	struct rs_buffer table RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err;
	rs_buffer_init(&table, 1 << 16);
	assert_int_equal(rs_sim_create(1, &made.sim, &err), RS_OK);
	made.world = rs_sim_world(made.sim);
	rs_buffer_append_text(&table, "subject,T1,ADC,mask\n");
	for (size_t n = 0; n < CASES; n++)
		write_case(made.world, n, &table);
	rs_buffer_append_text(&table, "");
	rs_buffer_append(&table, "", 1);
	put(made.world, "/cases.csv", (const char *)table.data);
	*state = &made;
	return 0;
}

static int world_end(void **state)
{
	rs_sim_destroy(((struct world *)*state)->sim);
	return 0;
}

#define FEW                                                                                        \
	{                                                                                          \
		.held_out = 0.2, .spacing_mm = 3, .epochs = 1, .patches = 1, .width = 3, .seed = 5 \
	}
static const struct rs_learned_options few = FEW;

struct told {
	size_t cases, epochs;
	double dice, least, entropy[2];
};

static enum rs_code take_epoch(void *context, uint32_t epoch, uint32_t epochs, double loss)
{
	struct told *told = context;
	told->epochs++;
	assert_int_equal(told->epochs, epoch);
	assert_true(epoch <= epochs && isfinite(loss));
	return RS_OK;
}

static void take_case(void *context, const struct rs_learned_case *learned_case)
{
	struct told *told = context;
	told->cases++;
	told->dice += learned_case->dice;
	told->least = fmin(told->least, learned_case->dice);
	for (int i = 0; i < 2; i++)
		told->entropy[i] += learned_case->entropy[i];
}

static void learns(void **state)
{
	const struct world *world = *state;
	const struct rs_learned_options options = {.held_out = 0.3,
	                                           .spacing_mm = 3,
	                                           .epochs = 7,
	                                           .patches = 4,
	                                           .width = 4,
	                                           .seed = 5,
	                                           .label = "4"};
	struct told told = {.least = 1};
	const struct rs_learned_report report = {NULL, take_epoch, take_case, &told};
	struct rs_learned *model RS_CLEANUP(rs_learned_destroy_pointer) = NULL;
	struct rs_learned_facts facts;
	struct rs_pool *pool;
	struct rs_error err = {0};
	assert_int_equal(rs_pool_create(2, &pool, &err), RS_OK);
	if (rs_learned_train(world->world, "/cases.csv", &options, &report, pool, &model, &err) != RS_OK)
		fail_msg("%s", err.message);
	rs_pool_destroy(pool);
	rs_learned_tell(model, &facts);
	assert_int_equal(facts.cases, 7);
	assert_int_equal(facts.dice_count, 3);
	assert_string_equal(facts.names[1], "ADC");
	assert_int_equal(told.cases, 3);
	assert_int_equal(told.epochs, 7);
	print_message("# Dice %.3f, %.3f at the least, entropy %.3f where right, %.3f where wrong\n",
	              told.dice / 3, told.least, told.entropy[0] / 3, told.entropy[1] / 3);
	assert_true(told.dice / 3 > 0.8);
	assert_true(told.entropy[1] > 2 * told.entropy[0]);
}

static void train_few(const struct rs_world *world, struct rs_pool *pool, struct rs_learned **model,
                      struct rs_buffer *file)
{
	const struct rs_learned_report report = {NULL, NULL, NULL, NULL};
	struct rs_error err = {0};
	if (rs_learned_train(world, "/cases.csv", &few, &report, pool, model, &err) != RS_OK)
		fail_msg("%s", err.message);
	rs_buffer_init(file, 1 << 22);
	rs_learned_write(*model, file);
}

static void same_for_any_threads(void **state)
{
	const struct world *world = *state;
	struct rs_buffer files[2] = {{0}};
	struct rs_pool *pools[2] = {NULL, NULL};
	struct rs_error err;
	assert_int_equal(rs_pool_create(3, &pools[1], &err), RS_OK);
	for (int n = 0; n < 2; n++) {
		struct rs_learned *model RS_CLEANUP(rs_learned_destroy_pointer) = NULL;
		train_few(world->world, pools[n], &model, &files[n]);
	}
	assert_int_equal(files[0].size, files[1].size);
	assert_memory_equal(files[0].data, files[1].data, files[0].size);
	rs_pool_destroy(pools[1]);
	rs_buffer_finish(&files[0]);
	rs_buffer_finish(&files[1]);
}

static void files(void **state)
{
	const struct world *world = *state;
	struct rs_learned *model RS_CLEANUP(rs_learned_destroy_pointer) = NULL, *again = NULL;
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0}, copy RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_volume image RS_CLEANUP(rs_volume_finish) = {0};
	struct rs_volume unsure RS_CLEANUP(rs_volume_finish) = {0};
	struct rs_mask mask RS_CLEANUP(rs_mask_finish) = {0};
	const struct rs_volume *there[2] = {NULL, &image};
	struct rs_error err = {0};
	train_few(world->world, NULL, &model, &file);
	assert_int_equal(rs_learned_read(rs_buffer_bytes(&file), &again, &err), RS_OK);
	rs_buffer_init(&copy, 1 << 22);
	rs_learned_write(again, &copy);
	assert_int_equal(file.size, copy.size);
	assert_memory_equal(file.data, copy.data, file.size);
	/* One image of two; its numbers are those of a probability. */
	assert_int_equal(rs_volume_read(world->world, "/1_1.nrrd", &image, &err), RS_OK);
	assert_int_equal(rs_learned_apply(again, there, 2, false, NULL, &mask, &unsure, &err), RS_OK);
	for (size_t i = 0; i < rs_geometry_voxels(&unsure.geometry); i++)
		assert_true(unsure.voxels[i] >= 0 && unsure.voxels[i] <= 1 && mask.labels[i] <= 1);
	assert_int_equal(rs_learned_apply(again, there, 1, false, NULL, &mask, NULL, &err), RS_USAGE);
	there[1] = NULL;
	assert_int_equal(rs_learned_apply(again, there, 2, false, NULL, &mask, NULL, &err), RS_USAGE);
	rs_learned_destroy(again);
	/* Bytes changed: another model, or a sentence. Cut off: a sentence. */
	for (size_t i = 0; i < file.size; i += i < 700 ? 1 : 97) {
		const uint8_t kept = file.data[i];
		struct rs_error told = {0};
		file.data[i] ^= 0x41;
		if (rs_learned_read(rs_buffer_bytes(&file), &again, &told) == RS_OK)
			rs_learned_destroy(again);
		else
			assert_true(told.message[0] != 0);
		file.data[i] = kept;
		assert_int_not_equal(rs_learned_read(rs_bytes_of(file.data, i), &again, &told), RS_OK);
	}
}

static void refuses(void **state)
{
	static const struct {
		const char *table, *tells;
		struct rs_learned_options options;
	} cases[] = {
		{"subject,T1\nA,0_0.nrrd\n", "columns 'subject' and 'mask'", FEW},
		{"subject,mask\nA,0_mask.nrrd\n", "a column for each image", FEW},
		{"subject,T1,mask\n", "no cases", FEW},
		{"subject,T1,mask\nA,0_0.nrrd,0_mask.nrrd\n", "none is left to train on", FEW},
		{"subject,T1,mask\n,0_0.nrrd,0_mask.nrrd\n", "line 2 names no subject", FEW},
		{"subject,T1,mask\nA,none.nrrd,0_mask.nrrd\nB,1_0.nrrd,1_mask.nrrd\n",
	         "line 2: ",
	         {.held_out = 0, .spacing_mm = 3, .epochs = 1, .patches = 1, .width = 1}},
		{"subject,T1,mask\nA,,0_mask.nrrd\nB,,1_mask.nrrd\n", "no image is named", FEW},
		{"subject,T1,mask\nA,0_0.nrrd,\nB,1_0.nrrd,\n", "no mask is named", FEW},
		{"subject,T1,T2,mask\nA,0_0.nrrd,small.nrrd,0_mask.nrrd\nB,0_0.nrrd,small.nrrd,0_mask.nrrd\n",
	         "image 2 has 4 x 4 x 4 voxels, the first image 36 x 34 x 22", FEW},
		{"subject,T1,mask\nA,odd.nrrd,small.nrrd\nB,odd.nrrd,small.nrrd\n", "no numbers", FEW},
		{"subject,T1,mask\nA,small.nrrd,empty.nrrd\nB,small.nrrd,empty.nrrd\n", "nothing to learn",
	         FEW},
		{"",
	         "from 0 to below 1",
	         {.held_out = 1, .spacing_mm = 3, .epochs = 1, .patches = 1, .width = 1}},
		{"", "0.1 to 100 mm", {.spacing_mm = NAN, .epochs = 1, .patches = 1, .width = 1}},
		{"", "epochs and patches", {.spacing_mm = 3, .epochs = 1, .width = 1}},
		{"", "width", {.spacing_mm = 3, .epochs = 1, .patches = 1, .width = 100}},
	};
	const struct world *world = *state;
	const struct rs_learned_report report = {NULL, NULL, NULL, NULL};
	const struct rs_geometry grid = grid_make(4, 4, 4, 3, 3, 3);
	struct rs_volume small = {0};
	struct rs_error err = {0};
	assert_int_equal(rs_volume_init(&small, &grid, &err), RS_OK);
	assert_int_equal(rs_volume_write(world->world, "/empty.nrrd", &small, &err), RS_OK);
	small.voxels[5] = 1;
	assert_int_equal(rs_volume_write(world->world, "/small.nrrd", &small, &err), RS_OK);
	small.voxels[6] = NAN;
	assert_int_equal(rs_volume_write(world->world, "/odd.nrrd", &small, &err), RS_OK);
	rs_volume_finish(&small);
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		struct rs_learned *model = NULL;
		put(world->world, "/wrong.csv", cases[i].table);
		err.message[0] = 0;
		assert_int_not_equal(rs_learned_train(world->world, "/wrong.csv", &cases[i].options, &report,
		                                      NULL, &model, &err),
		                     RS_OK);
		if (!strstr(err.message, cases[i].tells))
			fail_msg("%zu: %s", i, err.message);
		assert_null(model);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grids),  cmocka_unit_test(normalises),
		cmocka_unit_test(turns),  cmocka_unit_test(patches),
		cmocka_unit_test(slides), cmocka_unit_test(parts),
		cmocka_unit_test(learns), cmocka_unit_test(same_for_any_threads),
		cmocka_unit_test(files),  cmocka_unit_test(refuses),
	};
	return cmocka_run_group_tests(tests, world_make, world_end);
}
