/// std::function without the rest of <functional>, which brings std::unordered_map and the algorithms along: a fifth
/// of what the runtime's headers cost to compile.
#pragma once

#if __has_include(<bits/std_function.h>)
#include <bits/std_function.h> // IWYU pragma: export
#else
#include <functional> // IWYU pragma: export
#endif
