// SPDX-License-Identifier: Apache-2.0
#include "backends/kubernetes/driver_pod.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

namespace sparkhost::detail::kubernetes {

namespace {

constexpr std::string_view volumes_prefix = "spark.kubernetes.driver.volumes.";
constexpr std::string_view local_dir_prefix = "spark-local-dir-";

Error volume_error(const std::string& key, const std::string& rule) {
    return Error(Errc::invalid_argument, rule, "conf." + key);
}

void mount(PodDraft& draft, const std::string& volume, const std::string& path,
           const std::string& sub_path = {}) {
    boost::json::object entry{{"mountPath", path}, {"name", volume}};
    if (!sub_path.empty()) {
        entry["subPath"] = sub_path;
    }
    list_in(draft.container, "volumeMounts").push_back(std::move(entry));
}

void add_volume(PodDraft& draft, const std::string& name, const char* kind,
                boost::json::object source) {
    list_in(draft.spec, "volumes")
        .push_back(boost::json::object{{"name", name}, {kind, std::move(source)}});
}

/// One volume of the properties: "emptyDir.scratch" and what is below it.
struct ConfVolume {
    std::string type{};
    std::string name{};
    std::string prefix{};  ///< of its properties, with the dot
    Properties members{};

    const std::string* find(const std::string& key) const {
        const auto found = members.find(key);
        return found == members.end() ? nullptr : &found->second;
    }
    std::string value(const std::string& key) const {
        const auto* found = find(key);
        return found == nullptr ? std::string() : *found;
    }
    Result<std::string> required(const std::string& key) const {
        const auto* found = find(key);
        if (found == nullptr || found->empty()) {
            return volume_error(prefix + key, "is required for a " + type + " volume");
        }
        return *found;
    }
    Result<bool> flag(const std::string& key) const {
        const std::string text = value(key);
        if (text == "true" || text == "false" || text.empty()) {
            return text == "true";
        }
        return volume_error(prefix + key, "must be true or false");
    }
    /// Sizes below 1 KiB are forgotten units, as Spark 4 has it.
    Result<void> check_size() const {
        const std::string text = value("options.sizeLimit");
        const bool bare = !text.empty() && text.size() < 4 &&
                          text.find_first_not_of("0123456789") == std::string::npos;
        return bare ? Result<void>(volume_error(prefix + "options.sizeLimit",
                                                "is below 1 KiB: is the unit missing?"))
                    : ok();
    }
};

Result<std::vector<ConfVolume>> conf_volumes(const Properties& properties) {
    std::vector<ConfVolume> volumes;
    for (const auto& [rest, value] : below(properties, volumes_prefix)) {
        const auto dot = rest.find('.');
        const auto next = dot == std::string::npos ? dot : rest.find('.', dot + 1);
        if (next == std::string::npos || dot == 0 || next == dot + 1) {
            return volume_error(std::string(volumes_prefix) + rest,
                                "must be TYPE.NAME.mount… or TYPE.NAME.options…");
        }
        const std::string type = rest.substr(0, dot);
        const std::string name = rest.substr(dot + 1, next - dot - 1);
        const auto known = std::find_if(volumes.begin(), volumes.end(), [&](const auto& each) {
            return each.type == type && each.name == name;
        });
        ConfVolume& volume = known != volumes.end() ? *known : volumes.emplace_back();
        volume.type = type;
        volume.name = name;
        volume.prefix = std::string(volumes_prefix) + type + "." + name + ".";
        volume.members[rest.substr(next + 1)] = value;
    }
    return volumes;
}

boost::json::object claim_object(const DriverInput& input, const DriverConf& conf,
                                 const ConfVolume& volume, const std::string& name) {
    boost::json::object labels{{"spark-app-selector", input.application_id},
                               {store_label, input.identity.store},
                               {ticket_label, input.identity.ticket},
                               {nonce_label, input.identity.nonce}};
    for (const auto& [key, value] : below(volume.members, "label.")) {
        labels.insert(boost::json::object::value_type(key, value));
    }
    const auto legacy = conf.properties.find("spark.kubernetes.legacy.useReadWriteOnceAccessMode");
    const bool once_per_pod = spark_at_least(input.options.spark_version, 4, 0) &&
                              (legacy == conf.properties.end() || legacy->second != "true");
    boost::json::array modes;
    modes.push_back(once_per_pod ? "ReadWriteOncePod" : "ReadWriteOnce");
    boost::json::object requests{{"storage", volume.value("options.sizeLimit")}};
    boost::json::object spec{{"storageClassName", volume.value("options.storageClass")},
                             {"accessModes", std::move(modes)},
                             {"resources", boost::json::object{{"requests", std::move(requests)}}}};
    return {{"apiVersion", "v1"},
            {"kind", "PersistentVolumeClaim"},
            {"metadata",
             boost::json::object{
                 {"name", name}, {"namespace", conf.in_namespace}, {"labels", std::move(labels)}}},
            {"spec", std::move(spec)}};
}

Result<boost::json::object> claim_source(const DriverInput& input, const DriverConf& conf,
                                         const ConfVolume& volume, std::size_t index,
                                         PodDraft& draft) {
    auto name = volume.required("options.claimName");
    auto read_only = volume.flag("mount.readOnly");
    if (!name || !read_only) {
        return name ? read_only.error() : name.error();
    }
    constexpr std::string_view on_demand = "OnDemand";
    if (const auto at = name->find(on_demand); at != std::string::npos) {
        name->replace(at, on_demand.size(),
                      pod_name(input.identity.ticket) + "-pvc-" + std::to_string(index));
    }
    const bool made_here = volume.find("options.storageClass") != nullptr &&
                           volume.find("options.sizeLimit") != nullptr;
    if (made_here) {
        draft.claims.push_back(claim_object(input, conf, volume, *name));
    }
    return boost::json::object{{"claimName", *name}, {"readOnly", *read_only}};
}

Result<boost::json::object> volume_source(const DriverInput& input, const DriverConf& conf,
                                          const ConfVolume& volume, std::size_t index,
                                          PodDraft& draft) {
    boost::json::object source;
    if (volume.type == "hostPath" || volume.type == "nfs") {
        for (const char* key : {"path", "server"}) {
            if (volume.type == "hostPath" && std::string_view(key) == "server") {
                continue;
            }
            auto value = volume.required("options." + std::string(key));
            if (!value) {
                return value.error();
            }
            source[key] = *value;
        }
        if (volume.type == "hostPath") {
            source["type"] = volume.value("options.type");
        }
        return source;
    }
    if (auto checked = volume.check_size(); !checked) {
        return checked.error();
    }
    if (volume.type == "persistentVolumeClaim") {
        return claim_source(input, conf, volume, index, draft);
    }
    source["medium"] = volume.value("options.medium");
    if (volume.find("options.sizeLimit") != nullptr) {
        source["sizeLimit"] = volume.value("options.sizeLimit");
    }
    return source;
}

Result<void> add_conf_volume(const DriverInput& input, const DriverConf& conf,
                             const ConfVolume& volume, std::size_t index, PodDraft& draft) {
    static const std::set<std::string> known{"hostPath", "emptyDir", "nfs",
                                             "persistentVolumeClaim"};
    if (!known.contains(volume.type)) {
        return volume_error(volume.prefix + "mount.path",
                            "\"" + volume.type +
                                "\" is no supported kind of volume: hostPath, emptyDir, nfs and "
                                "persistentVolumeClaim are; a pod template takes any");
    }
    auto path = volume.required("mount.path");
    auto read_only = volume.flag("mount.readOnly");
    if (!path || !read_only) {
        return path ? read_only.error() : path.error();
    }
    auto source = volume_source(input, conf, volume, index, draft);
    if (!source) {
        return source.error();
    }
    boost::json::object entry{
        {"mountPath", *path}, {"name", volume.name}, {"readOnly", *read_only}};
    for (const char* key : {"subPath", "subPathExpr"}) {
        if (const auto* value = volume.find("mount." + std::string(key))) {
            entry[key] = *value;
        }
    }
    for (const auto& each : list_in(draft.container, "volumeMounts")) {
        if (text_in(each.get_object(), "mountPath") == *path) {
            return volume_error(volume.prefix + "mount.path", "something else is mounted there");
        }
    }
    list_in(draft.container, "volumeMounts").push_back(std::move(entry));
    add_volume(draft, volume.name, volume.type.c_str(), std::move(*source));
    return ok();
}

Result<void> add_secret_mounts(const DriverConf& conf, PodDraft& draft) {
    for (const auto& [secret, path] : below(conf.properties, "spark.kubernetes.driver.secrets.")) {
        if (!path.starts_with('/')) {
            return volume_error("spark.kubernetes.driver.secrets." + secret,
                                "must be an absolute path");
        }
        add_volume(draft, secret + "-volume", "secret", {{"secretName", secret}});
        mount(draft, secret + "-volume", path);
    }
    for (const auto& [name, reference] :
         below(conf.properties, "spark.kubernetes.driver.secretKeyRef.")) {
        const auto colon = reference.find(':');
        if (colon == std::string::npos || colon == 0 || colon + 1 == reference.size()) {
            return volume_error("spark.kubernetes.driver.secretKeyRef." + name,
                                "must be the name of a Secret and a key, as in \"db:password\"");
        }
        boost::json::object source{{"key", reference.substr(colon + 1)},
                                   {"name", reference.substr(0, colon)}};
        list_in(draft.container, "env")
            .push_back(boost::json::object{
                {"name", name},
                {"valueFrom", boost::json::object{{"secretKeyRef", std::move(source)}}}});
    }
    return ok();
}

/// Hadoop's configuration, Kerberos' and delegation tokens, where they are in the cluster already.
void add_hadoop(const DriverConf& conf, PodDraft& draft) {
    const Properties& properties = conf.properties;
    const auto text = [&properties](const char* key) {
        const auto found = properties.find(key);
        return found == properties.end() ? std::string() : found->second;
    };
    auto& env = list_in(draft.container, "env");
    if (const auto name = text("spark.kubernetes.hadoop.configMapName"); !name.empty()) {
        add_volume(draft, "hadoop-properties", "configMap", {{"name", name}});
        mount(draft, "hadoop-properties", "/opt/hadoop/conf");
        env.push_back(
            boost::json::object{{"name", "HADOOP_CONF_DIR"}, {"value", "/opt/hadoop/conf"}});
    }
    if (const auto name = text("spark.kubernetes.kerberos.krb5.configMapName"); !name.empty()) {
        add_volume(draft, "krb5-file", "configMap", {{"name", name}});
        mount(draft, "krb5-file", "/etc/krb5.conf", "krb5.conf");
    }
    if (const auto name = text("spark.kubernetes.kerberos.tokenSecret.name"); !name.empty()) {
        const std::string folder = "/mnt/secrets/hadoop-credentials";
        add_volume(draft, "hadoop-secret", "secret", {{"secretName", name}});
        mount(draft, "hadoop-secret", folder);
        const std::string file =
            folder + "/" + text("spark.kubernetes.kerberos.tokenSecret.itemKey");
        env.push_back(boost::json::object{{"name", "HADOOP_TOKEN_FILE_LOCATION"}, {"value", file}});
    }
}

std::vector<std::string> comma_list(const std::string& text) {
    std::vector<std::string> list;
    for (std::size_t begin = 0; begin <= text.size();) {
        const auto end = std::min(text.find(',', begin), text.size());
        list.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return list;
}

boost::json::object map_item(std::string_view key, std::string_view path) {
    constexpr int readable_by_all = 0644;  // the image says whose process it is
    return {{"key", key}, {"mode", readable_by_all}, {"path", path}};
}

boost::json::object items_of(std::string_view name, boost::json::array items) {
    return {{"name", name}, {"items", std::move(items)}};
}

}  // namespace

Result<void> add_conf_volumes(const DriverInput& input, const DriverConf& conf, PodDraft& draft) {
    if (auto added = add_secret_mounts(conf, draft); !added) {
        return added;
    }
    auto volumes = conf_volumes(conf.properties);
    if (!volumes) {
        return volumes.error();
    }
    for (std::size_t i = 0; i < volumes->size(); ++i) {
        if (auto added = add_conf_volume(input, conf, (*volumes)[i], i, draft); !added) {
            return added;
        }
    }
    add_hadoop(conf, draft);
    return ok();
}

/// Volumes named spark-local-dir-… are the local directories; else spark.local.dir's; else one.
Result<void> add_local_dirs(const DriverInput& input, const DriverConf& conf, PodDraft& draft) {
    std::string folders;
    for (const auto& each : list_in(draft.container, "volumeMounts")) {
        if (text_in(each.get_object(), "name").starts_with(local_dir_prefix)) {
            folders += (folders.empty() ? "" : ",") + text_in(each.get_object(), "mountPath");
        }
    }
    if (folders.empty()) {
        const auto asked = conf.properties.find("spark.local.dir");
        folders =
            asked != conf.properties.end() ? asked->second : "/var/data/" + input.application_id;
        const auto tmpfs = conf.properties.find("spark.kubernetes.local.dirs.tmpfs");
        const bool in_memory = tmpfs != conf.properties.end() && tmpfs->second == "true";
        int number = 0;
        for (const auto& folder : comma_list(folders)) {
            if (!folder.starts_with('/')) {
                return volume_error("spark.local.dir", "must be absolute paths");
            }
            const std::string name = std::string(local_dir_prefix) + std::to_string(++number);
            auto source =
                in_memory ? boost::json::object{{"medium", "Memory"}} : boost::json::object{};
            if (entry_named(list_in(draft.spec, "volumes"), name) == nullptr) {
                add_volume(draft, name, "emptyDir", std::move(source));
            }
            mount(draft, name, folder);
        }
    }
    list_in(draft.container, "env")
        .push_back(boost::json::object{{"name", "SPARK_LOCAL_DIRS"}, {"value", folders}});
    return ok();
}

/// The folder with spark.properties. With secrets in them they come from the Secret; something of
/// the ConfigMap is mounted in any case, for a killed application's ConfigMap has nothing in it.
void add_spark_conf(const DriverInput& input, const DriverConf& conf, PodDraft& draft) {
    constexpr const char* name = "spark-conf-volume-driver";
    const std::string config_map = config_map_name(input.identity.ticket);
    boost::json::array properties;
    properties.push_back(map_item(properties_key, properties_key));
    if (!has_secrets(conf.properties)) {
        add_volume(draft, name, "configMap", items_of(config_map, std::move(properties)));
    } else {
        boost::json::array guard;
        guard.push_back(map_item(namespace_key, namespace_key));
        boost::json::array sources;
        sources.push_back(
            boost::json::object{{"configMap", items_of(config_map, std::move(guard))}});
        sources.push_back(boost::json::object{
            {"secret", items_of(secret_name(input.identity.ticket), std::move(properties))}});
        add_volume(draft, name, "projected", {{"sources", std::move(sources)}});
    }
    mount(draft, name, std::string(spark_conf_folder));
}

void add_file_volume(const DriverInput& input, PodDraft& draft) {
    boost::json::array open;
    boost::json::array secret;
    for (const auto& file : input.files) {
        const std::string name = file.path.substr(file.path.rfind('/') + 1);
        (file.secret ? secret : open).push_back(map_item(file_key(file), name));
    }
    boost::json::array sources;
    if (!open.empty()) {
        sources.push_back(boost::json::object{
            {"configMap", items_of(config_map_name(input.identity.ticket), std::move(open))}});
    }
    if (!secret.empty()) {
        sources.push_back(boost::json::object{
            {"secret", items_of(secret_name(input.identity.ticket), std::move(secret))}});
    }
    if (!sources.empty()) {
        add_volume(draft, "sparkhost-files", "projected", {{"sources", std::move(sources)}});
        mount(draft, "sparkhost-files", std::string(driver_files_folder));
    }
}

}  // namespace sparkhost::detail::kubernetes
