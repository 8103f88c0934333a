/* The FMA peak by hand: 16 chains of AVX-512, or 12 of AVX2 (its 16 registers hold no more beside the
   two constants), of fused multiply-adds on each of N threads: the same work on each, timed from the
   first one's beginning to the last one's end, as ours is. Every lane must end where fma() leads the
   same chain, as ours must.
   cc -O2 -march=native -pthread probe_fma.c -o probe_fma -lm; ./probe_fma f64|f32 THREADS SECONDS */
#define _GNU_SOURCE
#include <immintrin.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__AVX512F__)
typedef __m512d vd;
typedef __m512 vs;
#define SETD _mm512_set1_pd
#define SETS _mm512_set1_ps
#define FMAD _mm512_fmadd_pd
#define FMAS _mm512_fmadd_ps
#define LANES 8
#define CHAINS 16
#define FOUR_MORE(step) step
#else
typedef __m256d vd;
typedef __m256 vs;
#define SETD _mm256_set1_pd
#define SETS _mm256_set1_ps
#define FMAD _mm256_fmadd_pd
#define FMAS _mm256_fmadd_ps
#define LANES 4
#define CHAINS 12
#define FOUR_MORE(step)
#endif

static const long LINKS = 1000000;
static pthread_barrier_t barrier;
static int single;
static long calls;
static atomic_int wrong;

/* Where chain k stands after SETTLED links and any more, by fma() and fmaf(). */
enum { SETTLED = 2048 };
static double settled_double[16];
static float settled_single[16];

static void settle(void) {
    for (int k = 0; k < 16; k++) {
        settled_double[k] = settled_single[k] = k + 1;
        for (int link = 0; link < SETTLED; link++) {
            settled_double[k] = fma(settled_double[k], 0.75, 0.5);
            settled_single[k] = fmaf(settled_single[k], 0.75f, 0.5f);
        }
    }
}

struct span {
    long cpu;
    double begin, end;
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

#define BODY(V, E, SETTLED_AT, SET, FMA)                                                          \
    volatile double vf = 0.75, vt = 0.5;                                                          \
    V f = SET(vf), t = SET(vt);                                                                   \
    V a = SET(1), b = SET(2), c = SET(3), d = SET(4), e = SET(5), g = SET(6), h = SET(7),         \
      i = SET(8), j = SET(9), k = SET(10), l = SET(11), m = SET(12), n = SET(13), o = SET(14),    \
      p = SET(15), q = SET(16);                                                                   \
    for (long r = 0; r < links; r++) {                                                            \
        a = FMA(a, f, t); b = FMA(b, f, t); c = FMA(c, f, t); d = FMA(d, f, t);                   \
        e = FMA(e, f, t); g = FMA(g, f, t); h = FMA(h, f, t); i = FMA(i, f, t);                   \
        j = FMA(j, f, t); k = FMA(k, f, t); l = FMA(l, f, t); m = FMA(m, f, t);                   \
        FOUR_MORE(n = FMA(n, f, t); o = FMA(o, f, t); p = FMA(p, f, t); q = FMA(q, f, t);)        \
    }                                                                                             \
    V all[16] = {a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q};                                 \
    for (int chain = 0; chain < CHAINS; chain++)                                                  \
        for (size_t lane = 0; lane < sizeof(V) / sizeof(E); lane++)                               \
            if (((E *)&all[chain])[lane] != SETTLED_AT[chain]) wrong = 1;

static void run_double(long links) { BODY(vd, double, settled_double, SETD, FMAD) }
static void run_single(long links) { BODY(vs, float, settled_single, SETS, FMAS) }

static void run(void) { (single ? run_single : run_double)(LINKS); }

static void *worker(void *argument) {
    struct span *span = argument;
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(span->cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
    run();
    pthread_barrier_wait(&barrier);
    span->begin = now();
    for (long call = 0; call < calls; call++) run();
    span->end = now();
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 4) return 2;
    single = !strcmp(argv[1], "f32");
    long threads = atol(argv[2]);
    settle();
    run();
    double begin = now();
    run();
    calls = 1 + (long)(atof(argv[3]) / (now() - begin));
    pthread_t all[256];
    struct span spans[256];
    pthread_barrier_init(&barrier, NULL, threads);
    for (long t = 0; t < threads; t++) {
        spans[t].cpu = t;
        pthread_create(&all[t], NULL, worker, &spans[t]);
    }
    double first = 1e300, last = 0;
    for (long t = 0; t < threads; t++) {
        pthread_join(all[t], NULL);
        if (spans[t].begin < first) first = spans[t].begin;
        if (spans[t].end > last) last = spans[t].end;
    }
    if (wrong) return fprintf(stderr, "a chain ended at a wrong value\n"), 1;
    const double flops = 2.0 * LINKS * CHAINS * LANES * (single ? 2 : 1) * calls * threads;
    printf("%.3f\n", flops / (last - first) * 1e-9);
    return 0;
}
