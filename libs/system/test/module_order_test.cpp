/// Modules stand behind what they depend on.
#include "module_order.hpp"

#include <sinew/base/result.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

namespace sinew::system {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FakeCatalogue final : public ModuleCatalogue {
public:
    std::map<std::string, ModuleInfo> modules;
    std::set<std::string> built_in;

    Result<ModuleInfo> find(std::string const& key) override {
        auto const found = modules.find(key);
        return found == modules.end() ? failure(ErrorCode::not_found, "no such module")
                                      : Result<ModuleInfo>(found->second);
    }
    bool is_built_in(std::string const& key) const override { return built_in.contains(key); }
    void add(std::string const& file, std::vector<std::string> depends) {
        modules[module_key(file)] = {.file = "kernel/" + file + ".ko", .depends = std::move(depends)};
    }
};

TEST(ModuleOrder, what_a_module_depends_on_stands_before_it) {
    FakeCatalogue catalogue;
    catalogue.add("virtio_pci", {"virtio_ring", "virtio"});
    catalogue.add("virtio_ring", {"virtio"});
    catalogue.add("virtio", {});
    auto const order = order_modules(catalogue, {"virtio_pci"}, {});
    ASSERT_TRUE(order) << order.error().message();
    EXPECT_THAT(order->early, ElementsAre("virtio", "virtio_ring", "virtio_pci"));
}

TEST(ModuleOrder, an_early_module_is_not_loaded_again_late) {
    FakeCatalogue catalogue;
    catalogue.add("virtio", {});
    catalogue.add("virtio_net", {"virtio"});
    auto const order = order_modules(catalogue, {"virtio"}, {"virtio_net"});
    ASSERT_TRUE(order);
    EXPECT_THAT(order->late, ElementsAre("virtio_net"));
}

TEST(ModuleOrder, names_keep_the_file_s_spelling_although_dashes_do_not_count) {
    FakeCatalogue catalogue;
    catalogue.add("hid-cp2112", {});
    auto const order = order_modules(catalogue, {}, {"hid_cp2112"});
    ASSERT_TRUE(order);
    EXPECT_THAT(order->late, ElementsAre("hid-cp2112"));
}

TEST(ModuleOrder, what_is_built_in_needs_no_loading) {
    FakeCatalogue catalogue;
    catalogue.built_in = {"crc32"};
    catalogue.add("ext4", {"crc32"});
    auto const order = order_modules(catalogue, {}, {"ext4"});
    ASSERT_TRUE(order);
    EXPECT_THAT(order->late, ElementsAre("ext4"));
}

TEST(ModuleOrder, a_missing_dependency_is_named_with_who_needs_it) {
    FakeCatalogue catalogue;
    catalogue.add("ext4", {"jbd2"});
    auto const order = order_modules(catalogue, {}, {"ext4"});
    ASSERT_FALSE(order);
    EXPECT_THAT(order.error().message(), HasSubstr("jbd2 (for ext4)"));
}

TEST(ModuleOrder, a_circle_is_an_error_not_an_endless_loop) {
    FakeCatalogue catalogue;
    catalogue.add("hen", {"egg"});
    catalogue.add("egg", {"hen"});
    EXPECT_FALSE(order_modules(catalogue, {"hen"}, {}));
}

TEST(ModuleOrder, a_list_of_dependencies_may_be_empty) {
    EXPECT_TRUE(split_depends("").empty());
    EXPECT_THAT(split_depends("a,b"), ElementsAre("a", "b"));
}

} // namespace
} // namespace sinew::system
