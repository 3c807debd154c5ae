# SPDX-License-Identifier: Apache-2.0
# Talks to org.apache.spark.api.r.RBackend. A call is a frame: its size, then whether the method is
# static, the object's id or the class, the method, the count of arguments, and these. All numbers
# are big-endian; texts to the JVM end with a zero byte, which their size counts. An answer is a
# status (1 means "still at it"), then a value, or a text that says what went wrong.

.sparkREnv <- new.env()

# ---- values ----------------------------------------------------------------------------------

put_int <- function(to, value) writeBin(as.integer(value), to, endian = "big")

put_text <- function(to, value) {
    bytes <- c(charToRaw(enc2utf8(value)), as.raw(0L))
    put_int(to, length(bytes))
    writeBin(bytes, to)
}

put_value <- function(to, value) {
    mark <- function(letter) writeBin(charToRaw(letter), to)
    if (inherits(value, "jobj")) {
        mark("j")
        put_text(to, value$id)
    } else if (is.environment(value)) {
        stopifnot(length(ls(value)) == 0L)
        mark("e")
        put_int(to, 0L)
    } else if (is.list(value)) {
        stopifnot(length(value) == 0L)
        mark("a")
        mark("c")
        put_int(to, 0L)
    } else if (is.character(value)) {
        mark("c")
        put_text(to, value)
    } else if (is.logical(value)) {
        mark("b")
        put_int(to, value)
    } else if (is.integer(value)) {
        mark("i")
        put_int(to, value)
    } else {
        mark("d")
        writeBin(as.double(value), to, endian = "big")
    }
}

get_int <- function(from) readBin(from, "integer", 1L, endian = "big")

get_text <- function(from) {
    text <- rawToChar(readBin(from, "raw", get_int(from)))
    Encoding(text) <- "UTF-8"
    text
}

get_value <- function(from) {
    type <- rawToChar(readBin(from, "raw", 1L))
    switch(type,
           n = NULL, i = get_int(from), b = get_int(from) != 0L, c = get_text(from),
           d = readBin(from, "double", 1L, endian = "big"),
           l = lapply(seq_len(get_int(from)), function(at) get_value(from)),
           j = structure(list2env(list(id = get_text(from))), class = "jobj"),
           stop("a value of type ", type))
}

# ---- calls -----------------------------------------------------------------------------------

call_jvm <- function(static, target, method, ...) {
    connection <- get(".sparkRCon", envir = .sparkREnv)
    frame <- rawConnection(raw(0L), "wb")
    put_int(frame, static)
    put_text(frame, target)
    put_text(frame, method)
    put_int(frame, ...length())
    for (value in list(...)) put_value(frame, value)
    content <- rawConnectionValue(frame)
    close(frame)
    writeBin(c(writeBin(length(content), raw(), endian = "big"), content), connection)
    while (identical(status <- get_int(connection), 1L)) NULL
    if (length(status) == 0L) stop("the backend has closed the connection")
    if (status != 0L) stop(get_text(connection))
    get_value(connection)
}

callJStatic <- function(className, methodName, ...) call_jvm(TRUE, className, methodName, ...)

callJMethod <- function(objId, methodName, ...) call_jvm(FALSE, objId$id, methodName, ...)

connectBackend <- function(hostname, port, timeout, authSecret) {
    connection <- socketConnection(hostname, as.integer(port), blocking = TRUE, open = "wb",
                                   timeout = timeout)
    put_text(connection, authSecret)
    if (get_text(connection) != "ok") stop("the backend does not know this secret")
    assign(".sparkRCon", connection, envir = .sparkREnv)
}

# ---- Spark -----------------------------------------------------------------------------------

sparkR.session <- function(enableHiveSupport = TRUE) {
    message("Said while SparkR starts")
    cat("Printed while SparkR starts\n")
    if (!exists(".sparkRjsc", envir = .sparkREnv)) {
        timeout <- as.integer(Sys.getenv("SPARKR_BACKEND_CONNECTION_TIMEOUT"))
        connectBackend("localhost", Sys.getenv("EXISTING_SPARKR_BACKEND_PORT"), timeout,
                       Sys.getenv("SPARKR_BACKEND_AUTH_SECRET"))
        context <- callJStatic("org.apache.spark.api.r.RRDD", "createSparkContext", "", "SparkR",
                               Sys.getenv("SPARK_HOME"), list(), new.env(), new.env())
        assign(".sparkRjsc", context, envir = .sparkREnv)
    }
    session <- callJStatic("org.apache.spark.sql.api.r.SQLUtils", "getOrCreateSparkSession",
                           get(".sparkRjsc", envir = .sparkREnv), new.env(), enableHiveSupport)
    assign(".sparkRsession", session, envir = .sparkREnv)
    warning("Version mismatch, as SparkR would say")
    session
}

setJobGroup <- function(groupId, description, interruptOnCancel) {
    callJMethod(get(".sparkRjsc", envir = .sparkREnv), "setJobGroup", groupId, description,
                interruptOnCancel)
}

sql <- function(query) {
    callJMethod(get(".sparkRsession", envir = .sparkREnv), "sql", query)
}

# The rows as JSON.
collect <- function(frame) {
    unlist(callJMethod(callJMethod(frame, "toJSON"), "collect"))
}

count <- function(frame) callJMethod(frame, "count")

createOrReplaceTempView <- function(frame, name) {
    invisible(callJMethod(frame, "createOrReplaceTempView", name))
}

print.jobj <- function(x, ...) {
    cat("Java ref type", callJMethod(callJMethod(x, "getClass"), "getName"), "\n")
}
