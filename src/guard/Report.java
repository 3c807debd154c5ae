// SPDX-License-Identifier: Apache-2.0
package io.sparkhost.guard;

/** All that is known of the application, as one message; empty while nothing is. */
final class Report {
    private static final int LONGEST_ERROR = 8192;
    private static final int LONGEST_ID = 255;
    private static final int LONGEST_URL = 2048;

    private String applicationId = "";
    private String uiUrl = "";
    private boolean over;
    private String error = "";

    /** Whether this is news. */
    boolean application(String id, String url) {
        // what is too long for the host is not worth the connection: user code may say anything
        String newId = id.length() > LONGEST_ID ? "" : id;
        String newUrl = url.length() > LONGEST_URL ? "" : url;
        boolean news = !applicationId.equals(newId) || !uiUrl.equals(newUrl);
        applicationId = newId;
        uiUrl = newUrl;
        return news;
    }

    /** `thrown` is empty where main has returned. */
    void ended(String thrown) {
        over = true;
        error = thrown.length() > LONGEST_ERROR ? thrown.substring(0, LONGEST_ERROR) : thrown;
    }

    boolean over() {
        return over;
    }

    String words() {
        String known = field("application_id", applicationId) + field("ui_url", uiUrl)
                + (over ? ",\"ended\":true" : "") + field("error", error);
        return known.isEmpty() ? "" : "{\"type\":\"report\"" + known + "}";
    }

    private static String field(String name, String value) {
        return value.isEmpty() ? "" : ",\"" + name + "\":" + Json.quoted(value);
    }
}
