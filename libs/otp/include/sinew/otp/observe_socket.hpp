/// The Unix sockets of nodes that can be observed: where they are, how one is made and found.
///
/// Invariant: a socket can be reached by its user only. Threading: any thread; listen_at() changes umask(2)
/// for an instant. The functions block for as long as the kernel takes.
#pragma once

#include <sinew/base/file.hpp>
#include <sinew/base/result.hpp>

#include <filesystem>
#include <string>

namespace sinew::observe {

/// As listen_on_unix_socket(), in a folder that it makes when it is missing. Error denied: the folder belongs
/// to, or can be written by, someone else.
[[nodiscard]] Result<FileDescriptor> listen_at(std::filesystem::path const& path);

/// The socket of the application called `name` ("blinky", or "blinky.1234" with its process's number) in
/// `folder`; an empty name: of the only one there is. Errors: not_found: none, with what there is;
/// invalid_argument: several fit, with their names.
[[nodiscard]] Result<std::filesystem::path> find_socket(std::filesystem::path const& folder,
                                                        std::string const& name);

} // namespace sinew::observe
