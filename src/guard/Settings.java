// SPDX-License-Identifier: Apache-2.0
package io.sparkhost.guard;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.security.SecureRandom;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the backend has told this driver in its environment, and what the driver knows of itself. */
final class Settings {
    private static final Pattern ADDRESS =
            Pattern.compile("tcp:(?:\\[([0-9A-Fa-f:.]+)]|([^\\[\\]:/\\s]+)):([0-9]{1,5})");
    private static final Pattern DRIVER = Pattern.compile("driver-\\d{14}-\\d+");
    private static final Pattern CONTAINER =
            Pattern.compile("container_(?:e\\d+_)?(\\d+_\\d+)_\\d+_\\d+");
    private static final double LONGEST_SECONDS = 366 * 86400.0;

    final String host;
    final int port;
    final String ticket;
    final long patience;   // nanoseconds
    final long pingEvery;  // nanoseconds
    final Path folder;     // the working directory
    private final String secret;
    private final String container;  // of YARN; empty elsewhere
    private final String nonce = nonce();

    Settings(Map<String, String> environment) {
        String address = required(environment, "SPARKHOST_GUARD_ADDRESS");
        if (address.startsWith("unix:")) {
            throw new IllegalArgumentException("SPARKHOST_GUARD_ADDRESS is " + address
                    + ": a JVM cannot dial Unix sockets; the host needs an agent address with tcp:");
        }
        Matcher parts = ADDRESS.matcher(address);
        if (!parts.matches() || Integer.parseInt(parts.group(3)) < 1
                || Integer.parseInt(parts.group(3)) > 65535) {
            throw new IllegalArgumentException(
                    "SPARKHOST_GUARD_ADDRESS is " + address + ": tcp:HOST:PORT expected");
        }
        host = parts.group(1) != null ? parts.group(1) : parts.group(2);
        port = Integer.parseInt(parts.group(3));
        ticket = required(environment, "SPARKHOST_GUARD_TICKET");
        secret = required(environment, "SPARKHOST_GUARD_SECRET");
        container = environment.getOrDefault("CONTAINER_ID", "");
        patience = seconds(environment, "SPARKHOST_GUARD_PATIENCE", "600");
        pingEvery = seconds(environment, "SPARKHOST_GUARD_PING_EVERY", "30");
        folder = Paths.get("").toAbsolutePath();
    }

    /** The first line of each connection, always the same. */
    String greeting() {
        StringBuilder out = new StringBuilder("{\"type\":\"guard\",\"versions\":[1]");
        out.append(",\"ticket\":").append(Json.quoted(ticket));
        out.append(",\"secret\":").append(Json.quoted(secret));
        out.append(",\"nonce\":").append(Json.quoted(nonce));
        out.append(",\"driver\":").append(Json.quoted(driver()));
        String pid = pid();
        if (pid.matches("[0-9]{1,15}")) {
            out.append(",\"pid\":").append(pid);
        }
        return out.append("}").toString();
    }

    /**
     * A worker of the standalone cluster runs each driver in a folder that has the driver's id;
     * YARN names a container after its application, which is the driver's here.
     */
    private String driver() {
        Path name = folder.getFileName();
        if (name != null && DRIVER.matcher(name.toString()).matches()) {
            return name.toString();
        }
        Matcher parts = CONTAINER.matcher(container);
        return parts.matches() ? "application_" + parts.group(1) : "";
    }

    /** Java 8 has no better way that is as quick. */
    private static String pid() {
        try {
            return new File("/proc/self").getCanonicalFile().getName();
        } catch (IOException unknown) {
            return "";
        }
    }

    private static String nonce() {
        byte[] bytes = new byte[16];
        new SecureRandom().nextBytes(bytes);
        StringBuilder out = new StringBuilder();
        for (byte one : bytes) {
            out.append(String.format("%02x", one & 0xff));
        }
        return out.toString();
    }

    private static String required(Map<String, String> environment, String name) {
        String value = environment.get(name);
        if (value == null || value.isEmpty()) {
            throw new IllegalArgumentException(
                    name + " is not set: this class starts drivers for sparkhost, and nothing else");
        }
        return value;
    }

    private static long seconds(Map<String, String> environment, String name, String usual) {
        String value = environment.getOrDefault(name, usual);
        double number = 0;
        if (value.matches("[0-9]{1,9}(\\.[0-9]{1,9})?")) {
            number = Double.parseDouble(value);
        }
        if (number <= 0 || number > LONGEST_SECONDS) {
            throw new IllegalArgumentException(
                    name + " is " + value + ": a number of seconds above 0 expected");
        }
        return (long) (number * TimeUnit.SECONDS.toNanos(1));
    }
}
