// Vectors of floats for one instruction set, chosen by how the file is compiled.
#pragma once

#include <immintrin.h>

#if defined(__AVX512F__)
#define LEVEL avx512
#else
#define LEVEL avx2
#endif

namespace rnnsuite {
namespace LEVEL {

#if defined(__AVX512F__)

using Vector = __m512;
constexpr int WIDTH = 16;
constexpr int ACCUMULATORS = 24;  // of 32 registers

inline __mmask16 first(int count) { return static_cast<__mmask16>((1u << count) - 1); }
inline Vector load(const float* p) { return _mm512_loadu_ps(p); }
inline Vector load(const float* p, int count) {
  return count >= WIDTH ? load(p) : _mm512_maskz_loadu_ps(first(count), p);
}
inline void store(float* p, Vector v) { _mm512_storeu_ps(p, v); }
inline void store(float* p, Vector v, int count) {
  if (count >= WIDTH) {
    store(p, v);
  } else {
    _mm512_mask_storeu_ps(p, first(count), v);
  }
}
inline Vector all(float x) { return _mm512_set1_ps(x); }
inline Vector zero() { return _mm512_setzero_ps(); }
inline Vector add(Vector a, Vector b) { return _mm512_add_ps(a, b); }
inline Vector sub(Vector a, Vector b) { return _mm512_sub_ps(a, b); }
inline Vector mul(Vector a, Vector b) { return _mm512_mul_ps(a, b); }
// a / b within 2 units of the last place, in less time than an exact division.
inline Vector ratio(Vector a, Vector b) {
  const Vector guess = _mm512_rcp14_ps(b);
  return mul(a, mul(guess, _mm512_fnmadd_ps(guess, b, all(2.0f))));
}
inline Vector fma(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
inline Vector fnma(Vector a, Vector b, Vector c) { return _mm512_fnmadd_ps(a, b, c); }
// Where x is not a number, neither is the result.
inline Vector clamp(Vector x, float low, float high) {
  return _mm512_max_ps(all(low), _mm512_min_ps(all(high), x));
}
// x where it is finite, 0 elsewhere.
inline Vector finite(Vector x) {
  const __mmask16 is_finite =
      _mm512_cmp_ps_mask(_mm512_abs_ps(x), all(3.4028235e38f), _CMP_LE_OQ);
  return _mm512_maskz_mov_ps(is_finite, x);
}

#else

using Vector = __m256;
constexpr int WIDTH = 8;
constexpr int ACCUMULATORS = 12;  // of 16 registers

inline __m256i first(int count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
inline Vector load(const float* p) { return _mm256_loadu_ps(p); }
inline Vector load(const float* p, int count) {
  return count >= WIDTH ? load(p) : _mm256_maskload_ps(p, first(count));
}
inline void store(float* p, Vector v) { _mm256_storeu_ps(p, v); }
inline void store(float* p, Vector v, int count) {
  if (count >= WIDTH) {
    store(p, v);
  } else {
    _mm256_maskstore_ps(p, first(count), v);
  }
}
inline Vector all(float x) { return _mm256_set1_ps(x); }
inline Vector zero() { return _mm256_setzero_ps(); }
inline Vector add(Vector a, Vector b) { return _mm256_add_ps(a, b); }
inline Vector sub(Vector a, Vector b) { return _mm256_sub_ps(a, b); }
inline Vector mul(Vector a, Vector b) { return _mm256_mul_ps(a, b); }
inline Vector ratio(Vector a, Vector b) { return _mm256_div_ps(a, b); }
inline Vector fma(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
inline Vector fnma(Vector a, Vector b, Vector c) { return _mm256_fnmadd_ps(a, b, c); }
// Where x is not a number, neither is the result.
inline Vector clamp(Vector x, float low, float high) {
  return _mm256_max_ps(all(low), _mm256_min_ps(all(high), x));
}
// x where it is finite, 0 elsewhere.
inline Vector finite(Vector x) {
  const Vector size = _mm256_andnot_ps(all(-0.0f), x);
  return _mm256_and_ps(x, _mm256_cmp_ps(size, all(3.4028235e38f), _CMP_LE_OQ));
}

#endif

// A rational function within 3e-7 of tanh, by the coefficients that Eigen and XLA use.
inline Vector tanh(Vector x) {
  x = clamp(x, -7.90531110763549805f, 7.90531110763549805f);
  const Vector s = mul(x, x);
  Vector p = fma(s, all(-2.76076847742355e-16f), all(2.00018790482477e-13f));
  p = fma(s, p, all(-8.60467152213735e-11f));
  p = fma(s, p, all(5.12229709037114e-08f));
  p = fma(s, p, all(1.48572235717979e-05f));
  p = fma(s, p, all(6.37261928875436e-04f));
  p = fma(s, p, all(4.89352455891786e-03f));
  Vector q = fma(s, all(1.19825839466702e-06f), all(1.18534705686654e-04f));
  q = fma(s, q, all(2.26843463243900e-03f));
  q = fma(s, q, all(4.89352518554385e-03f));
  return ratio(mul(x, p), q);
}

inline Vector sigmoid(Vector x) {
  const Vector half = all(0.5f);
  return fma(half, tanh(mul(half, x)), half);
}

// The derivatives of both by their own values.
inline Vector sigmoid_slope(Vector y) { return fnma(y, y, y); }
inline Vector tanh_slope(Vector y) { return fnma(y, y, all(1.0f)); }

}  // namespace LEVEL
}  // namespace rnnsuite
