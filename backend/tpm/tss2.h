/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TPM software stack, opened at the first question to a TPM
 * (base/library.h). Calls look as they do when it is linked. Private to tpm/.
 */
#pragma once

#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

#include "base/error.h"
#include "base/library.h"

/* Of libtss2-esys, and of libtss2-mu, which it loads itself. */
#define SW_ESYS_LIST(X)                                                               \
	X(Esys_Initialize) X(Esys_Finalize) X(Esys_Free) X(Esys_GetCapability)        \
	X(Esys_FlushContext) X(Esys_Shutdown) X(Esys_TR_Close) X(Esys_CreatePrimary)  \
	X(Esys_StartAuthSession) X(Esys_TRSess_SetAttributes) X(Esys_PolicyPCR)       \
	X(Esys_PCR_Read) X(Esys_PCR_Extend) X(Esys_PolicyGetDigest) X(Esys_Create)    \
	X(Esys_Load) X(Esys_Unseal) X(Tss2_MU_TPM2B_PRIVATE_Marshal)                  \
	X(Tss2_MU_TPM2B_PUBLIC_Marshal) X(Tss2_MU_TPM2B_PRIVATE_Unmarshal)            \
	X(Tss2_MU_TPM2B_PUBLIC_Unmarshal) X(Esys_TR_FromTPMPublic)                    \
	X(Esys_NV_ReadPublic) X(Esys_NV_Read) X(Esys_ReadPublic) X(Esys_Quote)        \
	X(Esys_ActivateCredential) X(Esys_PolicySecret) X(Esys_PolicyCommandCode)      \
	X(Tss2_MU_TPMT_PUBLIC_Marshal) X(Tss2_MU_TPMT_PUBLIC_Unmarshal)               \
	X(Tss2_MU_TPMT_SIGNATURE_Marshal) X(Tss2_MU_TPMS_ATTEST_Unmarshal)            \
	X(Tss2_MU_TPM2B_ID_OBJECT_Unmarshal)                                          \
	X(Tss2_MU_TPM2B_ENCRYPTED_SECRET_Unmarshal) X(Esys_NV_DefineSpace)           \
	X(Esys_NV_UndefineSpace) X(Esys_NV_Increment) X(Esys_NV_Write)               \
	X(Esys_NV_WriteLock) X(Esys_LoadExternal) X(Esys_VerifySignature)            \
	X(Esys_PolicyAuthorize) X(Esys_TR_GetName)
#define SW_TCTILDR_LIST(X) X(Tss2_TctiLdr_Initialize) X(Tss2_TctiLdr_Finalize)
#define SW_TSS2_RC_LIST(X) X(Tss2_RC_Decode)

struct sw_tss2 {
	SW_ESYS_LIST(SW_LIBRARY_POINTER)
	SW_TCTILDR_LIST(SW_LIBRARY_POINTER)
	SW_TSS2_RC_LIST(SW_LIBRARY_POINTER)
};

extern struct sw_tss2 sw_tss2;

/* Before any of the calls below. Also stops the libraries from writing over the console. */
int sw_tss2_open(struct sw_error *err);

#define Esys_Initialize (*sw_tss2.Esys_Initialize_)
#define Esys_Finalize (*sw_tss2.Esys_Finalize_)
#define Esys_Free (*sw_tss2.Esys_Free_)
#define Esys_GetCapability (*sw_tss2.Esys_GetCapability_)
#define Esys_FlushContext (*sw_tss2.Esys_FlushContext_)
#define Esys_Shutdown (*sw_tss2.Esys_Shutdown_)
#define Esys_TR_Close (*sw_tss2.Esys_TR_Close_)
#define Esys_CreatePrimary (*sw_tss2.Esys_CreatePrimary_)
#define Esys_StartAuthSession (*sw_tss2.Esys_StartAuthSession_)
#define Esys_TRSess_SetAttributes (*sw_tss2.Esys_TRSess_SetAttributes_)
#define Esys_PolicyPCR (*sw_tss2.Esys_PolicyPCR_)
#define Esys_PCR_Read (*sw_tss2.Esys_PCR_Read_)
#define Esys_PCR_Extend (*sw_tss2.Esys_PCR_Extend_)
#define Esys_PolicyCommandCode (*sw_tss2.Esys_PolicyCommandCode_)
#define Esys_PolicyGetDigest (*sw_tss2.Esys_PolicyGetDigest_)
#define Esys_Create (*sw_tss2.Esys_Create_)
#define Esys_Load (*sw_tss2.Esys_Load_)
#define Esys_Unseal (*sw_tss2.Esys_Unseal_)
#define Tss2_MU_TPM2B_PRIVATE_Marshal (*sw_tss2.Tss2_MU_TPM2B_PRIVATE_Marshal_)
#define Tss2_MU_TPM2B_PUBLIC_Marshal (*sw_tss2.Tss2_MU_TPM2B_PUBLIC_Marshal_)
#define Tss2_MU_TPM2B_PRIVATE_Unmarshal (*sw_tss2.Tss2_MU_TPM2B_PRIVATE_Unmarshal_)
#define Tss2_MU_TPM2B_PUBLIC_Unmarshal (*sw_tss2.Tss2_MU_TPM2B_PUBLIC_Unmarshal_)
#define Esys_TR_FromTPMPublic (*sw_tss2.Esys_TR_FromTPMPublic_)
#define Esys_NV_ReadPublic (*sw_tss2.Esys_NV_ReadPublic_)
#define Esys_NV_Read (*sw_tss2.Esys_NV_Read_)
#define Esys_ReadPublic (*sw_tss2.Esys_ReadPublic_)
#define Esys_Quote (*sw_tss2.Esys_Quote_)
#define Esys_ActivateCredential (*sw_tss2.Esys_ActivateCredential_)
#define Esys_PolicySecret (*sw_tss2.Esys_PolicySecret_)
#define Tss2_MU_TPMT_PUBLIC_Marshal (*sw_tss2.Tss2_MU_TPMT_PUBLIC_Marshal_)
#define Tss2_MU_TPMT_PUBLIC_Unmarshal (*sw_tss2.Tss2_MU_TPMT_PUBLIC_Unmarshal_)
#define Tss2_MU_TPMT_SIGNATURE_Marshal (*sw_tss2.Tss2_MU_TPMT_SIGNATURE_Marshal_)
#define Tss2_MU_TPMS_ATTEST_Unmarshal (*sw_tss2.Tss2_MU_TPMS_ATTEST_Unmarshal_)
#define Tss2_MU_TPM2B_ID_OBJECT_Unmarshal (*sw_tss2.Tss2_MU_TPM2B_ID_OBJECT_Unmarshal_)
#define Tss2_MU_TPM2B_ENCRYPTED_SECRET_Unmarshal \
	(*sw_tss2.Tss2_MU_TPM2B_ENCRYPTED_SECRET_Unmarshal_)
#define Esys_NV_DefineSpace (*sw_tss2.Esys_NV_DefineSpace_)
#define Esys_NV_UndefineSpace (*sw_tss2.Esys_NV_UndefineSpace_)
#define Esys_NV_Increment (*sw_tss2.Esys_NV_Increment_)
#define Esys_NV_Write (*sw_tss2.Esys_NV_Write_)
#define Esys_NV_WriteLock (*sw_tss2.Esys_NV_WriteLock_)
#define Esys_LoadExternal (*sw_tss2.Esys_LoadExternal_)
#define Esys_VerifySignature (*sw_tss2.Esys_VerifySignature_)
#define Esys_PolicyAuthorize (*sw_tss2.Esys_PolicyAuthorize_)
#define Esys_TR_GetName (*sw_tss2.Esys_TR_GetName_)
#define Tss2_TctiLdr_Initialize (*sw_tss2.Tss2_TctiLdr_Initialize_)
#define Tss2_TctiLdr_Finalize (*sw_tss2.Tss2_TctiLdr_Finalize_)
#define Tss2_RC_Decode (*sw_tss2.Tss2_RC_Decode_)
