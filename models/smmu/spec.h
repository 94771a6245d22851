/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The numbers of the specification (Arm IHI 0070): register offsets, fields, commands, events.
 */
#ifndef MODELS_SMMU_SPEC_H
#define MODELS_SMMU_SPEC_H

#include <stdint.h>

#define BIT(n)			(UINT64_C(1) << (n))
#define BITS(hi, lo)		((~UINT64_C(0) >> (63 - (hi))) & (~UINT64_C(0) << (lo)))
#define FIELD_GET(mask, value)	(((uint64_t)(value) & (mask)) >> __builtin_ctzll(mask))
#define FIELD_PREP(mask, value) (((uint64_t)(value) << __builtin_ctzll(mask)) & (mask))

/* ---- registers, page 0 (§6.3) ------------------------------------------------------------ */

#define REG_IDR0	      0x00u
#define REG_IDR1	      0x04u
#define REG_IDR2	      0x08u
#define REG_IDR3	      0x0cu
#define REG_IDR4	      0x10u
#define REG_IDR5	      0x14u
#define REG_IIDR	      0x18u
#define REG_AIDR	      0x1cu
#define REG_CR0		      0x20u
#define REG_CR0ACK	      0x24u
#define REG_CR1		      0x28u
#define REG_CR2		      0x2cu
#define REG_STATUSR	      0x40u
#define REG_GBPA	      0x44u
#define REG_IRQ_CTRL	      0x50u
#define REG_IRQ_CTRLACK	      0x54u
#define REG_GERROR	      0x60u
#define REG_GERRORN	      0x64u
#define REG_GERROR_IRQ_CFG0   0x68u
#define REG_GERROR_IRQ_CFG1   0x70u
#define REG_GERROR_IRQ_CFG2   0x74u
#define REG_STRTAB_BASE	      0x80u
#define REG_STRTAB_BASE_CFG   0x88u
#define REG_CMDQ_BASE	      0x90u
#define REG_CMDQ_PROD	      0x98u
#define REG_CMDQ_CONS	      0x9cu
#define REG_EVENTQ_BASE	      0xa0u
#define REG_EVENTQ_PROD_ALIAS 0xa8u
#define REG_EVENTQ_CONS_ALIAS 0xacu
#define REG_EVENTQ_IRQ_CFG0   0xb0u
#define REG_EVENTQ_IRQ_CFG1   0xb8u
#define REG_EVENTQ_IRQ_CFG2   0xbcu
/* page 1 */
#define REG_EVENTQ_PROD 0x100a8u
#define REG_EVENTQ_CONS 0x100acu

#define IDR0_S1P	 BIT(1)
#define IDR0_TTF	 BITS(3, 2)
#define IDR0_COHACC	 BIT(4)
#define IDR0_HYP	 BIT(9)
#define IDR0_ASID16	 BIT(12)
#define IDR0_MSI	 BIT(13)
#define IDR0_SEV	 BIT(14)
#define IDR0_VMID16	 BIT(18)
#define IDR0_CD2L	 BIT(19)
#define IDR0_TTENDIAN	 BITS(22, 21)
#define IDR0_STALL_MODEL BITS(25, 24)
#define IDR0_ST_LEVEL	 BITS(28, 27)
#define TTF_AARCH64	 2
#define TTENDIAN_LE	 2

#define IDR1_SIDSIZE  BITS(5, 0)
#define IDR1_SSIDSIZE BITS(10, 6)
#define IDR1_PRIQS    BITS(15, 11)
#define IDR1_EVENTQS  BITS(20, 16)
#define IDR1_CMDQS    BITS(25, 21)

#define IDR3_RIL BIT(10)

#define IDR5_OAS       BITS(2, 0)
#define IDR5_GRAN4K    BIT(4)
#define IDR5_STALL_MAX BITS(31, 16)

#define CR0_SMMUEN   BIT(0)
#define CR0_PRIQEN   BIT(1)
#define CR0_EVENTQEN BIT(2)
#define CR0_CMDQEN   BIT(3)
#define CR0_MASK     (CR0_SMMUEN | CR0_EVENTQEN | CR0_CMDQEN)

#define CR1_MASK BITS(11, 0)

#define CR2_E2H	      BIT(0)
#define CR2_RECINVSID BIT(1)
#define CR2_PTM	      BIT(2)
#define CR2_MASK      BITS(2, 0)

#define GBPA_ABORT    BIT(20)
#define GBPA_UPDATE   BIT(31)
#define GBPA_INCOMING FIELD_PREP(BITS(13, 12), 1) /* SHCFG: use incoming */
#define GBPA_MASK     (BIT(20) | BITS(19, 16) | BITS(13, 8) | BIT(4) | BITS(3, 0))

#define IRQ_CTRL_GERROR BIT(0)
#define IRQ_CTRL_PRIQ	BIT(1)
#define IRQ_CTRL_EVENTQ BIT(2)
#define IRQ_CTRL_MASK	(IRQ_CTRL_GERROR | IRQ_CTRL_EVENTQ)

#define GERROR_CMDQ_ERR		  BIT(0)
#define GERROR_EVENTQ_ABT_ERR	  BIT(2)
#define GERROR_MSI_CMDQ_ABT_ERR	  BIT(4)
#define GERROR_MSI_EVENTQ_ABT_ERR BIT(5)
#define GERROR_MSI_GERROR_ABT_ERR BIT(7)
#define GERROR_MASK		  BITS(8, 0)

#define MSI_CFG0_ADDR BITS(51, 2)

#define STRTAB_BASE_RA	 BIT(62)
#define STRTAB_BASE_ADDR BITS(51, 6)

#define STRTAB_CFG_LOG2SIZE BITS(5, 0)
#define STRTAB_CFG_SPLIT    BITS(10, 6)
#define STRTAB_CFG_FMT	    BITS(17, 16)
#define STRTAB_FMT_2LVL	    1

#define Q_BASE_LOG2SIZE BITS(4, 0)
#define Q_BASE_ADDR	BITS(51, 5)
#define Q_BASE_RWA	BIT(62)
#define Q_OVERFLOW	BIT(31) /* EVENTQ_PROD.OVFLG, EVENTQ_CONS.OVACKFLG */
#define Q_PTR_MASK	BITS(19, 0)

#define CMDQ_CONS_ERR BITS(30, 24)
#define CERROR_NONE   0
#define CERROR_ILL    1
#define CERROR_ABT    2

/* ---- configuration structures (§5) ------------------------------------------------------- */

#define L1STD_SPAN  BITS(4, 0)
#define L1STD_L2PTR BITS(51, 6)

#define STE_BYTES      64u
#define STE_0_V	       BIT(0)
#define STE_0_CONFIG   BITS(3, 1)
#define STE_0_S1FMT    BITS(5, 4)
#define STE_0_S1CTXPTR BITS(51, 6)
#define STE_0_S1CDMAX  BITS(63, 59)
#define STE_1_S1DSS    BITS(1, 0)
#define STE_1_S1STALLD BIT(27)
#define STE_1_EATS     BITS(29, 28)
#define STE_1_STRW     BITS(31, 30)
#define STE_1_PRIVCFG  BITS(49, 48)
#define STE_1_INSTCFG  BITS(51, 50)

#define STE_CONFIG_BYPASS 4u
#define STE_CONFIG_S1	  5u
#define STE_CONFIG_S2	  6u
#define STE_CONFIG_NESTED 7u
#define S1FMT_LINEAR	  0u
#define S1FMT_4K_L2	  1u
#define S1FMT_64K_L2	  2u
#define S1DSS_TERMINATE	  0u
#define S1DSS_BYPASS	  1u
#define S1DSS_SSID0	  2u
#define STRW_NS_EL1	  0u
#define STRW_NS_EL2	  2u

#define L1CD_V	   BIT(0)
#define L1CD_L2PTR BITS(51, 12)

#define CD_BYTES  64u
#define CD_0_T0SZ BITS(5, 0)
#define CD_0_TG0  BITS(7, 6)
#define CD_0_EPD0 BIT(14)
#define CD_0_ENDI BIT(15)
#define CD_0_T1SZ BITS(21, 16)
#define CD_0_TG1  BITS(23, 22)
#define CD_0_EPD1 BIT(30)
#define CD_0_V	  BIT(31)
#define CD_0_IPS  BITS(34, 32)
#define CD_0_AFFD BIT(35)
#define CD_0_WXN  BIT(36)
#define CD_0_TBI0 BIT(38)
#define CD_0_TBI1 BIT(39)
#define CD_0_PAN  BIT(40)
#define CD_0_AA64 BIT(41)
#define CD_0_HD	  BIT(42)
#define CD_0_HA	  BIT(43)
#define CD_0_S	  BIT(44)
#define CD_0_R	  BIT(45)
#define CD_0_A	  BIT(46)
#define CD_0_ASET BIT(47)
#define CD_0_ASID BITS(63, 48)
#define CD_1_TTB0 BITS(51, 4)
#define CD_2_TTB1 BITS(51, 4)

/* ---- commands (§4) ----------------------------------------------------------------------- */

#define CMD_BYTES	   16u
#define CMD_0_OP	   BITS(7, 0)
#define CMD_0_SSEC	   BIT(10)
#define CMD_0_SSID	   BITS(31, 12)
#define CMD_0_SID	   BITS(63, 32)
#define CMD_CFGI_1_RANGE   BITS(4, 0)
#define CMD_TLBI_0_NUM	   BITS(16, 12)
#define CMD_TLBI_0_SCALE   BITS(24, 20)
#define CMD_TLBI_0_ASID	   BITS(63, 48)
#define CMD_TLBI_1_LEAF	   BIT(0)
#define CMD_TLBI_1_TG	   BITS(11, 10)
#define CMD_TLBI_1_VA	   BITS(63, 12)
#define CMD_RESUME_0_AC	   BIT(12) /* retry */
#define CMD_RESUME_0_AB	   BIT(13) /* if not: with abort */
#define CMD_RESUME_1_STAG  BITS(15, 0)
#define CMD_SYNC_0_CS	   BITS(13, 12)
#define CMD_SYNC_0_MSIDATA BITS(63, 32)
#define CMD_SYNC_1_MSIADDR BITS(51, 2)
#define SYNC_CS_NONE	   0u
#define SYNC_CS_IRQ	   1u
#define SYNC_CS_SEV	   2u

enum smmu_opcode {
	CMD_PREFETCH_CONFIG = 0x01,
	CMD_PREFETCH_ADDR = 0x02,
	CMD_CFGI_STE = 0x03,
	CMD_CFGI_STE_RANGE = 0x04, /* CFGI_ALL is its widest range */
	CMD_CFGI_CD = 0x05,
	CMD_CFGI_CD_ALL = 0x06,
	CMD_TLBI_NH_ALL = 0x10,
	CMD_TLBI_NH_ASID = 0x11,
	CMD_TLBI_NH_VA = 0x12,
	CMD_TLBI_NH_VAA = 0x13,
	CMD_TLBI_EL2_ALL = 0x20,
	CMD_TLBI_EL2_ASID = 0x21,
	CMD_TLBI_EL2_VA = 0x22,
	CMD_TLBI_EL2_VAA = 0x23,
	CMD_TLBI_NSNH_ALL = 0x30,
	CMD_RESUME = 0x44,
	CMD_STALL_TERM = 0x45,
	CMD_SYNC = 0x46,
};

/* ---- events (§7.3) ----------------------------------------------------------------------- */

#define EVENT_BYTES	  32u
#define EVENT_0_ID	  BITS(7, 0)
#define EVENT_0_SSV	  BIT(11)
#define EVENT_0_SSID	  BITS(31, 12)
#define EVENT_0_SID	  BITS(63, 32)
#define EVENT_1_STAG	  BITS(15, 0)
#define EVENT_1_STALL	  BIT(31)
#define EVENT_1_PNU	  BIT(33)
#define EVENT_1_IND	  BIT(34)
#define EVENT_1_RNW	  BIT(35)
#define EVENT_1_S2	  BIT(39)
#define EVENT_1_CLASS	  BITS(41, 40)
#define EVENT_3_FETCHADDR BITS(55, 3)
#define CLASS_TTD	  1u
#define CLASS_IN	  2u

enum smmu_event_id {
	EVENT_NONE = 0,
	C_BAD_STREAMID = 0x02,
	F_STE_FETCH = 0x03,
	C_BAD_STE = 0x04,
	F_BAD_ATS_TREQ = 0x05,
	F_STREAM_DISABLED = 0x06,
	F_TRANSL_FORBIDDEN = 0x07,
	C_BAD_SUBSTREAMID = 0x08,
	F_CD_FETCH = 0x09,
	C_BAD_CD = 0x0a,
	F_WALK_EABT = 0x0b,
	F_TRANSLATION = 0x10,
	F_ADDR_SIZE = 0x11,
	F_ACCESS = 0x12,
	F_PERMISSION = 0x13,
	EVENT_ID_COUNT = 0x14,
};

#endif
