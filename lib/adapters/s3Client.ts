/** In a file of its own, because it is loaded on first use and bundled apart: few functions read or write files. */
export { GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
